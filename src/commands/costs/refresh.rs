//! `--refresh`: asks for the prices of what is there, and of what `plan` would compare it with.

use std::collections::BTreeMap;

use http::Uri;

use super::look::Sight;
use crate::commands::prices::{PriceSources, warn};
use crate::context::Context;
use crate::domain::catalogue::price_file::SNAPSHOTS;
use crate::domain::catalogue::retail::Wanted;
use crate::domain::catalogue::{DiskTier, Region};
use crate::error::CommandError;
use crate::retail::fetch;

/// Of the sizes that `plan` ranks, as many are asked for as it shows.
const SIZES_OF_PLAN: usize = 10;

/// Fetches, keeps what was fetched, and adds it to the sources.
pub(super) async fn refresh(
    context: &Context,
    service: &Uri,
    sight: &Sight,
    region: Option<Region>,
    sources: &mut PriceSources,
) -> Result<(), CommandError> {
    let wanted = wanted(sight, region);
    if wanted.is_empty() {
        return Err(CommandError::failed(
            "there is nothing to ask a price of: no node says its region and its size",
        )
        .hint("name the region with --region, or leave out --refresh"));
    }
    let count: usize = wanted.iter().map(Wanted::len).sum();
    let regions: Vec<&str> = wanted.iter().map(|one| one.region.name()).collect();
    let host = service.authority().map_or("the price service", |authority| authority.as_str());
    context.ui.say(format!("Asking {host} for {count} prices in {}", regions.join(", ")));
    let timeout = context.global.request_timeout;
    let say = |line: &str| context.ui.say(line);
    let (sheet, problems) = fetch(service, &wanted, context.now(), timeout, &say).await?;
    for problem in &problems {
        warn(context, &problem.to_string());
    }
    if sheet.is_empty() {
        return Err(CommandError::failed(format!("{service} has no price of anything that was asked for"))
            .hint("is the region the right one? --region REGION takes another")
            .hint("leave out --refresh to use the prices that are known already"));
    }
    let mut all = sources.fetched.take().unwrap_or_default();
    all.update(&sheet);
    match &sources.cache {
        Some(cache) => cache.save(&all)?,
        None => warn(context, "the prices are not kept: neither XDG_CACHE_HOME nor HOME names a folder"),
    }
    sources.fetched = Some(all);
    Ok(())
}

/// What is asked for: the sizes and disks that are there, each in its region, and the first sizes of the plan.
fn wanted(sight: &Sight, given: Option<Region>) -> Vec<Wanted> {
    let inventory = &sight.inventory;
    let mut wanted: BTreeMap<Region, Wanted> = BTreeMap::new();
    let of = |said: Option<&str>| given.or_else(|| Region::find(said?).ok());
    for machine in inventory.machines.iter().flatten() {
        if let (Some(region), Some(size)) = (of(machine.node.region()), machine.node.instance_type())
            && size.starts_with("Standard_")
        {
            wanted.entry(region).or_insert_with(|| Wanted::new(region)).sizes.insert(size.to_owned());
        }
    }
    if let Some(Ok(plan)) = &sight.plan {
        let region = plan.market.region;
        let sizes = plan.shown(SIZES_OF_PLAN).into_iter().map(|choice| choice.size.name.to_owned());
        wanted.entry(region).or_insert_with(|| Wanted::new(region)).sizes.extend(sizes);
    }
    // Disks that do not say their region are where the nodes are, if that is one region.
    let home = wanted.keys().next().copied().filter(|_| wanted.len() == 1);
    for disk in inventory.disks.iter().flatten() {
        let tier = disk.sku.as_deref().and_then(|sku| DiskTier::of(sku, disk.size));
        if let (Some(region), Some(DiskTier::Fixed(tier))) = (of(disk.region()).or(home), tier) {
            wanted.entry(region).or_insert_with(|| Wanted::new(region)).disks.insert(tier);
        }
    }
    let has_snapshots = inventory.snapshots.iter().flatten().flatten().next().is_some();
    if let Some(home) = given.or(home).filter(|_| has_snapshots) {
        let names = SNAPSHOTS.map(str::to_owned);
        wanted.entry(home).or_insert_with(|| Wanted::new(home)).snapshots.extend(names);
    }
    wanted.into_values().filter(|one| !one.is_empty()).collect()
}
