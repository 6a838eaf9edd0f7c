//! Disks and snapshots: their tiers, and what they cost.

use std::collections::BTreeMap;

use super::inventory::{Disk, DiskSnapshot, Inventory};
use super::{Pricing, Region, Total, Usd};
use crate::domain::catalogue::{DiskTier, Quote, Term, price_file::SNAPSHOTS};
use crate::domain::quantity::Quantity;

/// A disk and its price.
#[derive(Clone, Debug)]
pub struct DiskCost {
    pub disk: Disk,
    pub state: DiskState,
    /// None for a disk that is not Azure's, or that says too little.
    pub tier: Option<DiskTier>,
    pub quote: Option<Quote>,
    /// US dollars per month; none where it is not known, never 0.
    pub per_month: Option<Usd>,
}

/// Who has a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskState {
    /// A pod mounts it, or it waits for a shard that should be there.
    InUse,
    /// Its claim is there, and no pod mounts it.
    Unused,
    /// Its claim is gone, and it was kept.
    Released,
    /// Nobody has claimed it yet.
    Available,
    /// Kubernetes could not delete it.
    Failed,
    /// It is claimed, and the pods could not be read.
    Unknown,
}

impl DiskState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Unused => "unused",
            Self::Released => "released",
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Unknown => "use not known",
        }
    }

    fn of(disk: &Disk) -> Self {
        match disk.phase.as_str() {
            "Released" => Self::Released,
            "Available" => Self::Available,
            "Failed" => Self::Failed,
            _ if disk.used_by.is_some() => Self::InUse,
            _ if !disk.is_use_known => Self::Unknown,
            _ => Self::Unused,
        }
    }
}

/// Disks of one tier together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierCost {
    /// None where it is not known.
    pub tier: Option<DiskTier>,
    pub disks: u32,
    pub size: Quantity,
    pub per_month: Total,
}

/// A snapshot, and what it costs at most: Azure bills what it holds, which Kubernetes does not tell.
#[derive(Clone, Debug)]
pub struct SnapshotCost {
    pub snapshot: DiskSnapshot,
    pub at_most_per_month: Option<Usd>,
}

pub(super) fn disk_costs(
    inventory: &Inventory,
    pricing: &Pricing<'_>,
    home: Option<Region>,
) -> Vec<DiskCost> {
    let mut disks: Vec<DiskCost> = inventory
        .disks
        .iter()
        .flatten()
        .map(|disk| {
            let tier = disk.sku.as_deref().and_then(|sku| DiskTier::of(sku, disk.size));
            let region = pricing.region(disk.region()).or(home);
            let quote = match (&tier, region) {
                (Some(DiskTier::Fixed(name)), Some(region)) => {
                    pricing.prices.quote(region, name, Term::OnDemand)
                }
                _ => None,
            };
            let per_month = quote.as_ref().and_then(Quote::per_month);
            DiskCost { state: DiskState::of(disk), tier, quote, per_month, disk: disk.clone() }
        })
        .collect();
    disks.sort_by(|a, b| (&a.disk.claim, &a.disk.name).cmp(&(&b.disk.claim, &b.disk.name)));
    disks
}

pub(super) fn tiers(disks: &[DiskCost]) -> Vec<TierCost> {
    // Unknown tiers last: (true, ...) sorts after (false, ...).
    let mut tiers: BTreeMap<(bool, Option<DiskTier>), TierCost> = BTreeMap::new();
    for disk in disks {
        let tier = tiers.entry((disk.tier.is_none(), disk.tier.clone())).or_insert_with(|| TierCost {
            tier: disk.tier.clone(),
            disks: 0,
            size: Quantity::bytes(0),
            per_month: Total::default(),
        });
        tier.disks += 1;
        tier.size += disk.disk.size;
        tier.per_month.include(disk.per_month);
    }
    tiers.into_values().collect()
}

pub(super) fn snapshot_costs(
    inventory: &Inventory,
    pricing: &Pricing<'_>,
    home: Option<Region>,
) -> Vec<SnapshotCost> {
    // Which redundancy a snapshot has is not to be seen either; both have one price in Azure's list.
    let quote = pricing.given.or(home).and_then(|region| {
        SNAPSHOTS.into_iter().find_map(|name| pricing.prices.quote(region, name, Term::OnDemand))
    });
    let gib = Quantity::bytes(1 << 30);
    let snapshots = inventory.snapshots.iter().flatten().flatten();
    let mut snapshots: Vec<SnapshotCost> = snapshots
        .map(|snapshot| SnapshotCost {
            at_most_per_month: quote
                .as_ref()
                .zip(snapshot.size)
                .map(|(quote, size)| quote.usd.share(size, gib)),
            snapshot: snapshot.clone(),
        })
        .collect();
    snapshots.sort_by(|a, b| {
        let key = |one: &SnapshotCost| (one.snapshot.namespace.clone(), one.snapshot.name.clone());
        key(a).cmp(&key(b))
    });
    snapshots
}
