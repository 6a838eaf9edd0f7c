//! Regions of Azure's public cloud.

use super::super::names::nearest;

/// The regions by name, in order, those that Azure has announced among them. A region is added here when it opens; nothing
/// else depends on the list, which is there so that a mistyped name is not taken for a region without prices.
const REGIONS: [&str; 76] = [
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "denmarkeast",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus3",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indiasouthcentral",
    "indonesiacentral",
    "israelcentral",
    "israelnorthwest",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeastus5",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "saudiarabiaeast",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southcentralus2",
    "southeastasia",
    "southeastasia3",
    "southeastus",
    "southeastus3",
    "southeastus5",
    "southindia",
    "southwestus",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "taiwannorth",
    "taiwannorthwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "usgovarizona",
    "usgovtexas",
    "usgovvirginia",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
];

/// A region of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    name: &'static str,
}

/// Why there is no such region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no region `{name}`")]
pub struct UnknownRegion {
    pub name: String,
    /// The region that was most likely meant.
    pub nearest: Option<&'static str>,
}

impl Region {
    /// The region of this name.
    ///
    /// # Errors
    /// When Azure has none; the nearest name is part of the error.
    pub fn find(name: &str) -> Result<Self, UnknownRegion> {
        let known = REGIONS.iter().copied();
        known
            .clone()
            .find(|region| *region == name)
            .map(|name| Self { name })
            .ok_or_else(|| UnknownRegion { name: name.to_owned(), nearest: nearest(name, known) })
    }

    /// The name: `eastus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::regions;
    use super::*;

    #[test]
    fn regions_are_in_order_and_those_with_prices_are_among_them() {
        assert!(REGIONS.is_sorted_by(|a, b| a < b));
        for region in regions() {
            assert_eq!(Region::find(region).map(Region::name), Ok(*region));
        }
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        assert_eq!(Region::find("westeurop").unwrap_err().nearest, Some("westeurope"));
        assert_eq!(Region::find("East US").unwrap_err().nearest, Some("eastus"));
        assert_eq!(Region::find("mars").unwrap_err().nearest, None);
        assert!(Region::find("us-east-1").is_err());
    }
}
