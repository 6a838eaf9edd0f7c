//! The virtual machine sizes of Azure that Node Auto Provisioning may choose, and their prices by region.
//!
//! The data is `sizes.tsv` and `prices.tsv`, written by `generate.py`, which names the sources. Prices may come from elsewhere
//! as well: a `PriceBook` has the operator's own, those that were fetched, and the built-in ones.

mod book;
mod disks;
pub mod price_file;
mod prices;
mod region;
pub mod retail;

use std::sync::LazyLock;

pub use book::{Origin, PriceBook, Prices, Quote, Sheet, Term, Unit};
pub use disks::{DEFAULT_DISK_SKU, DiskTier, all_tiers, is_disk_tier};
pub use prices::{PRICES_LISTED, PRICES_SOURCE, REFERENCE_REGION, UsdPerHour, on_demand, regions};
pub use region::{Region, UnknownRegion};

/// Processor architecture, with Kubernetes' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    Amd64,
    Arm64,
}

impl Architecture {
    /// The value of the label `kubernetes.io/arch`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// One size of virtual machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// The name as Azure and the label `node.kubernetes.io/instance-type` write it: `Standard_E16s_v5`.
    pub name: &'static str,
    /// The label `karpenter.azure.com/sku-family`: the first letter only, so FX sizes are of family F.
    pub family: &'static str,
    /// The label `karpenter.azure.com/sku-series`: `Es_v5`.
    pub series: &'static str,
    /// The label `karpenter.azure.com/sku-version`: 5.
    pub version: u32,
    pub vcpus: u32,
    /// Nominal memory; fractions of a GiB are left out.
    pub memory_gib: u32,
    /// How many data disks can be attached.
    pub max_data_disks: Option<u32>,
    /// Whether premium disks can be attached; none when the sources do not tell.
    pub premium: Option<bool>,
    pub architecture: Architecture,
}

static SIZES: LazyLock<Vec<Size>> =
    LazyLock::new(|| include_str!("sizes.tsv").lines().filter_map(parse).collect());

/// Every size, by family, series and vCPUs.
#[must_use]
pub fn sizes() -> &'static [Size] {
    &SIZES
}

/// The size of this name.
#[must_use]
pub fn size(name: &str) -> Option<&'static Size> {
    sizes().iter().find(|size| size.name == name)
}

/// Reads one line; none for comments. A test proves that no line of data is lost.
fn parse(line: &'static str) -> Option<Size> {
    if line.starts_with('#') {
        return None;
    }
    let mut cells = line.split('\t');
    let size = Size {
        name: cells.next()?,
        family: cells.next()?,
        series: cells.next()?,
        version: cells.next()?.parse().ok()?,
        vcpus: cells.next()?.parse().ok()?,
        memory_gib: cells.next()?.parse().ok()?,
        max_data_disks: known(cells.next()?).map(str::parse).transpose().ok()?,
        premium: known(cells.next()?).map(|cell| cell == "yes"),
        architecture: match cells.next()? {
            "amd64" => Architecture::Amd64,
            "arm64" => Architecture::Arm64,
            _ => return None,
        },
    };
    cells.next().is_none().then_some(size)
}

fn known(cell: &'static str) -> Option<&'static str> {
    (cell != "-").then_some(cell)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_data_is_read() {
        let lines = include_str!("sizes.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(sizes().len(), lines);
        assert!(lines > 700);
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = sizes().iter().map(|size| size.name).collect();
        assert_eq!(names.len(), sizes().len());
    }

    #[test]
    fn a_known_size_has_its_published_figures() {
        let size = size("Standard_E16s_v5").unwrap();
        assert_eq!((size.family, size.series, size.version), ("E", "Es_v5", 5));
        assert_eq!((size.vcpus, size.memory_gib), (16, 128));
        assert_eq!((size.max_data_disks, size.premium), (Some(32), Some(true)));
        assert_eq!(size.architecture, Architecture::Amd64);
    }

    #[test]
    fn sizes_that_nap_never_chooses_are_left_out() {
        // Constrained vCPUs: the name shows the parent's memory, the price is low.
        assert!(size("Standard_E16-4s_v5").is_none());
        assert!(sizes().iter().all(|size| size.vcpus >= 2));
    }
}
