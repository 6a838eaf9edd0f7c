//! The built-in list: what the sizes cost on demand, by region.
//!
//! The data is `prices.tsv`, written by `generate.py`; its header gives source and date. Prices are list prices in US
//! dollars: no discount, no Windows. What is not known is none, never 0.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::super::money::Usd;

/// When the prices were listed.
pub const PRICES_LISTED: &str = "2026-06-18";
/// Where they were listed.
pub const PRICES_SOURCE: &str = "karpenter-provider-azure 352646f5";
/// The region that stands for all of them where only the order of prices matters.
pub const REFERENCE_REGION: &str = "eastus";

/// A price in US dollars per hour, as a number to rank and to multiply once. What is added up is [`Usd`].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct UsdPerHour(pub f64);

struct Table {
    regions: Vec<&'static str>,
    /// By size, one for each region.
    prices: BTreeMap<&'static str, Vec<Option<Usd>>>,
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

/// The names of the regions that the list has prices of, in order.
#[must_use]
pub fn regions() -> &'static [&'static str] {
    &TABLE.regions
}

/// What the list has for a size in a region, per hour.
pub(super) fn listed(size: &str, region: &str) -> Option<Usd> {
    let column = regions().iter().position(|known| *known == region)?;
    *TABLE.prices.get(size)?.get(column)?
}

/// Pay-as-you-go for a size in a region; none when either is not in the list, or the list has no price.
#[must_use]
pub fn on_demand(size: &str, region: &str) -> Option<UsdPerHour> {
    listed(size, region).map(|price| UsdPerHour(price.as_f64()))
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
        let commit = PRICES_SOURCE.rsplit(' ').next().unwrap();
        assert!(text.contains(&format!("listed them on {PRICES_LISTED}")) && text.contains(commit));
        assert!(PRICES_LISTED.parse::<jiff::civil::Date>().is_ok());
    }

    #[test]
    fn prices_are_those_of_the_source() {
        for (size, region, expected) in [
            ("Standard_E8s_v5", "eastus", "0.504"),
            ("Standard_E16s_v5", "eastus", "1.008"),
            ("Standard_E48s_v5", "eastus", "3.024"),
            ("Standard_D2_v3", "brazilsouth", "0.159"),
        ] {
            assert_eq!(listed(size, region), expected.parse().ok(), "{size} in {region}");
            // Exactly the number that the text means.
            assert_eq!(on_demand(size, region).unwrap(), UsdPerHour(expected.parse().unwrap()));
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
        assert_eq!(on_demand("Standard_Unheard", "eastus"), None);
        assert_eq!(on_demand("Standard_E16s_v5", "mars"), None);
        assert!(sizes().iter().any(|size| on_demand(size.name, "eastus").is_none()));
    }
}
