//! Azure's managed disks as they are billed: by tier, the smallest that a disk's size fits into.
//!
//! Sizes are those of Azure's documentation (azure-docs, `includes/disk-storage-premium-ssd-sizes.md`,
//! `disk-storage-standard-ssd-sizes.md`, `disk-storage-standard-hdd-sizes.md`). Premium SSD v2 and Ultra have no tiers: they
//! are billed by capacity, IOPS and throughput together, two of which a cluster does not tell.

use std::fmt;

use super::super::quantity::Quantity;

/// Number of a tier and the largest disk of it in GiB; the number is the same for all sorts of disk that have it.
const TIERS: [(u32, u32); 14] = [
    (1, 4),
    (2, 8),
    (3, 16),
    (4, 32),
    (6, 64),
    (10, 128),
    (15, 256),
    (20, 512),
    (30, 1024),
    (40, 2048),
    (50, 4096),
    (60, 8192),
    (70, 16_384),
    (80, 32_767),
];
/// Standard HDD begins with S4.
const FIRST_OF_HDD: u32 = 4;

/// What the Azure Disk CSI driver makes when nothing says which sort (azuredisk-csi-driver, `docs/driver-parameters.md`).
pub const DEFAULT_DISK_SKU: &str = "StandardSSD_LRS";

/// How a disk is billed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskTier {
    /// By month: `P10 LRS`. The name under which price lists have it.
    Fixed(String),
    /// By capacity, IOPS and throughput: `PremiumV2_LRS`, `UltraSSD_LRS`.
    Provisioned(String),
}

impl DiskTier {
    /// The tier of a disk by what Azure calls its sku, in any case, and its size. None for another sort, or larger than any.
    #[must_use]
    pub fn of(sku: &str, size: Quantity) -> Option<Self> {
        let (sort, redundancy) = sku.split_once('_')?;
        let redundancy = redundancy.to_ascii_uppercase();
        if !matches!(redundancy.as_str(), "LRS" | "ZRS") {
            return None;
        }
        let letter = match sort.to_ascii_lowercase().as_str() {
            "premium" => 'P',
            "standardssd" => 'E',
            "standard" => 'S',
            "premiumv2" => return Some(Self::Provisioned(format!("PremiumV2_{redundancy}"))),
            "ultrassd" => return Some(Self::Provisioned(format!("UltraSSD_{redundancy}"))),
            _ => return None,
        };
        let fits = |gib: u32| size.as_nanos() <= Quantity::bytes(i64::from(gib) << 30).as_nanos();
        let first = if letter == 'S' { FIRST_OF_HDD } else { 0 };
        let tier = TIERS.iter().find(|(number, gib)| *number >= first && fits(*gib));
        tier.filter(|_| size.is_positive())
            .map(|(number, _)| Self::Fixed(format!("{letter}{number} {redundancy}")))
    }
}

impl fmt::Display for DiskTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(name) | Self::Provisioned(name) => f.pad(name),
        }
    }
}

/// Whether a name is that of a tier: `P10 LRS`.
#[must_use]
pub fn is_disk_tier(name: &str) -> bool {
    all_tiers().any(|tier| tier == name)
}

/// The names of all tiers.
pub fn all_tiers() -> impl Iterator<Item = String> {
    ['P', 'E', 'S'].into_iter().flat_map(|letter| {
        let first = if letter == 'S' { FIRST_OF_HDD } else { 0 };
        TIERS.iter().filter(move |(number, _)| *number >= first).flat_map(move |(number, _)| {
            ["LRS", "ZRS"].map(|redundancy| format!("{letter}{number} {redundancy}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::quantity;

    fn tier(sku: &str, size: &str) -> Option<String> {
        DiskTier::of(sku, quantity(size)).map(|tier| tier.to_string())
    }

    #[test]
    fn a_disk_is_billed_as_the_smallest_tier_it_fits_into() {
        for (sku, size, expected) in [
            ("Premium_LRS", "100Gi", "P10 LRS"),
            ("Premium_LRS", "128Gi", "P10 LRS"),
            ("Premium_LRS", "129Gi", "P15 LRS"),
            ("premium_lrs", "1", "P1 LRS"),
            ("Premium_ZRS", "1Ti", "P30 ZRS"),
            ("StandardSSD_LRS", "32Gi", "E4 LRS"),
            ("Standard_LRS", "4Gi", "S4 LRS"),
            ("Standard_LRS", "33Gi", "S6 LRS"),
            ("Premium_LRS", "32767Gi", "P80 LRS"),
            ("PremiumV2_LRS", "100Gi", "PremiumV2_LRS"),
            ("UltraSSD_LRS", "100Gi", "UltraSSD_LRS"),
        ] {
            assert_eq!(tier(sku, size).as_deref(), Some(expected), "{sku} {size}");
        }
        for (sku, size) in [
            ("Premium_LRS", "32768Gi"),
            ("Premium_LRS", "0"),
            ("Premium_GRS", "1Gi"),
            ("gp3", "1Gi"),
            ("", "1Gi"),
        ] {
            assert_eq!(tier(sku, size), None, "{sku} {size}");
        }
    }

    #[test]
    fn tiers_have_names() {
        assert!(is_disk_tier("P10 LRS") && is_disk_tier("E1 ZRS") && is_disk_tier("S4 LRS"));
        assert!(!is_disk_tier("S1 LRS") && !is_disk_tier("P5 LRS") && !is_disk_tier("P10"));
        assert_eq!(all_tiers().count(), 14 * 2 * 2 + 11 * 2);
    }
}
