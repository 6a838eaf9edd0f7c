//! What the sizes cost, by region.
//!
//! The data is `prices.tsv`, written by `generate.py`; its header gives source and date. Prices are list prices in US
//! dollars: no discount, no Windows. What is not known is none, never 0.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::names::nearest;

/// When the prices were listed.
pub const PRICES_LISTED: &str = "2026-06-18";
/// Where they were listed.
pub const PRICES_SOURCE: &str = "karpenter-provider-azure 352646f5";
/// The region that stands for all of them where only the order of prices matters.
pub const REFERENCE_REGION: &str = "eastus";

/// A price in US dollars per hour.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct UsdPerHour(pub f64);

/// What one machine costs in each way of paying; none where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    /// Pay-as-you-go.
    pub on_demand: Option<UsdPerHour>,
    /// Reserved for a year. Not in the built-in list.
    pub reserved_1y: Option<UsdPerHour>,
    /// Reserved for three years. Not in the built-in list.
    pub reserved_3y: Option<UsdPerHour>,
    /// Spot. Not in the built-in list.
    pub spot: Option<UsdPerHour>,
}

/// A region that the list has prices of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    name: &'static str,
    column: usize,
}

/// Why there is no such region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no prices are known of region `{name}`")]
pub struct UnknownRegion {
    pub name: String,
    /// The region that was most likely meant.
    pub nearest: Option<&'static str>,
}

struct Table {
    regions: Vec<&'static str>,
    /// By size, one for each region.
    prices: BTreeMap<&'static str, Vec<Option<f64>>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut lines = include_str!("prices.tsv").lines().filter(|line| !line.starts_with('#'));
    let regions = lines.next().into_iter().flat_map(|line| line.split('\t').skip(1)).collect();
    let prices = lines.filter_map(|line| {
        let mut cells = line.split('\t');
        // "-" is no number.
        Some((cells.next()?, cells.map(|cell| cell.parse().ok()).collect()))
    });
    Table { prices: prices.collect(), regions }
});

/// The names of all regions with prices, in order.
#[must_use]
pub fn regions() -> &'static [&'static str] {
    &TABLE.regions
}

impl Region {
    /// The region of this name.
    ///
    /// # Errors
    /// When the list has none; the nearest name is part of the error.
    pub fn find(name: &str) -> Result<Self, UnknownRegion> {
        let at = regions().iter().position(|region| *region == name);
        at.map(|column| Self { name: regions()[column], column }).ok_or_else(|| UnknownRegion {
            name: name.to_owned(),
            nearest: nearest(name, regions().iter().copied()),
        })
    }

    /// The name: `eastus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What a machine of this size costs here.
    #[must_use]
    pub fn prices(self, size: &str) -> Prices {
        let on_demand = TABLE.prices.get(size).and_then(|prices| *prices.get(self.column)?);
        Prices { on_demand: on_demand.map(UsdPerHour), ..Prices::default() }
    }
}

/// Pay-as-you-go for a size in a region; none when either is not in the list, or the list has no price.
#[must_use]
pub fn on_demand(size: &str, region: &str) -> Option<UsdPerHour> {
    Region::find(region).ok()?.prices(size).on_demand
}

#[cfg(test)]
mod tests {
    use super::super::sizes;
    use super::*;

    fn price(size: &str, region: &str) -> f64 {
        on_demand(size, region).unwrap().0
    }

    #[test]
    fn every_size_has_a_line_and_every_line_a_cell_for_each_region() {
        assert_eq!(TABLE.prices.len(), sizes().len());
        assert_eq!(regions().len(), 18);
        for size in sizes() {
            assert_eq!(TABLE.prices[size.name].len(), regions().len(), "{}", size.name);
        }
        let known = TABLE.prices.values().flatten().flatten().count();
        let text = include_str!("prices.tsv");
        let cells = text.lines().filter(|line| line.starts_with("Standard_"));
        let cells = cells.flat_map(|line| line.split('\t').skip(1)).filter(|cell| *cell != "-").count();
        assert_eq!(known, cells, "every price is read");
        assert!(TABLE.prices.values().flatten().flatten().all(|price| *price > 0.0));
        let commit = PRICES_SOURCE.rsplit(' ').next().unwrap();
        assert!(text.contains(&format!("listed them on {PRICES_LISTED}")) && text.contains(commit));
    }

    #[test]
    fn prices_are_those_of_the_source() {
        for (size, region, expected) in [
            ("Standard_E8s_v5", "eastus", 0.504),
            ("Standard_E16s_v5", "eastus", 1.008),
            ("Standard_E48s_v5", "eastus", 3.024),
            ("Standard_D2_v3", "brazilsouth", 0.159),
        ] {
            assert!((price(size, region) - expected).abs() < 1e-9, "{size} in {region}");
        }
    }

    #[test]
    fn amd_prices_are_without_the_windows_licence() {
        assert!((price("Standard_E48as_v5", "eastus") - 2.712).abs() < 1e-9);
        // 0.0565 per vCPU throughout the series.
        for size in sizes().iter().filter(|size| size.series == "Eas_v5") {
            let per_vcpu = price(size.name, "eastus") / f64::from(size.vcpus);
            assert!((per_vcpu - 0.0565).abs() < 0.0005, "{}: {per_vcpu}", size.name);
        }
    }

    #[test]
    fn what_is_not_known_is_none() {
        let region = Region::find("eastus").unwrap();
        assert_eq!(region.prices("Standard_Unheard"), Prices::default());
        let prices = region.prices("Standard_E16s_v5");
        assert_eq!((prices.reserved_1y, prices.reserved_3y, prices.spot), (None, None, None));
        assert!(sizes().iter().any(|size| region.prices(size.name).on_demand.is_none()));
        let error = Region::find("westeurop").unwrap_err();
        assert_eq!(error.nearest, Some("westeurope"));
        assert_eq!(Region::find("mars").unwrap_err().nearest, None);
    }
}
