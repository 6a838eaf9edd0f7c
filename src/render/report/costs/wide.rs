//! `-o wide`: every node and every disk with everything known of it.

use super::{conditions, hourly, monthly, text};
use crate::domain::cost::{CostReport, Parts, Use};
use crate::domain::money::Usd;
use crate::domain::quantity::Quantity;
use crate::render::report::amounts;
use crate::render::table::Columns;

pub(super) fn nodes(report: &CostReport) -> String {
    let mut columns = Columns::new(
        &[
            "node",
            "type",
            "zone",
            "pool",
            "paid",
            "state",
            "shards",
            "scarce",
            "shards %",
            "daemons %",
            "others %",
            "free %",
            "stranded %",
            "$/hour",
            "$/month",
            "shards $/month",
            "free $/month",
            "stranded $/month",
            "price of",
        ],
        None,
    );
    for node in &report.nodes {
        let usage = node.usage.as_ref();
        let percent = |part: &dyn Fn(&Parts<Quantity>) -> Quantity| {
            usage.map_or_else(
                || "?".to_owned(),
                |usage: &Use| format!("{:.1}", usage.share(part(&usage.parts)) * 100.0),
            )
        };
        let shares = node.shares();
        let part = |part: Option<Usd>| monthly(part.map(Usd::hourly_to_monthly));
        let shards = usage.map(|usage| match usage.shards.as_slice() {
            [] => usage.shard_pods.to_string(),
            ordinals => amounts::ordinals(ordinals.iter().copied()),
        });
        columns.row([
            node.name.to_string(),
            text(node.instance_type.as_deref()),
            text(node.zone.as_deref()),
            text(node.node_pool.as_ref().map(|pool| pool.as_str())),
            node.price
                .as_ref()
                .map_or_else(|| text(node.capacity_type.as_deref()), |price| price.term.to_string()),
            text(Some(conditions(node).join(", ").as_str()).filter(|words| !words.is_empty())),
            shards.unwrap_or_else(|| "?".to_owned()),
            usage.map_or_else(|| "?".to_owned(), |usage| usage.scarce.as_str().to_owned()),
            percent(&|parts| parts.shards),
            percent(&|parts| parts.daemons),
            percent(&|parts| parts.others),
            percent(&|parts| parts.free),
            percent(&|parts| parts.stranded),
            hourly(node.per_hour()),
            monthly(node.per_month()),
            part(shares.map(|shares| shares.shards)),
            part(shares.map(|shares| shares.free)),
            part(shares.map(|shares| shares.stranded)),
            node.price.as_ref().map_or_else(
                || "-".to_owned(),
                |price| match price.quote.listed {
                    Some(date) => format!("{}, {date}", price.quote.origin),
                    None => price.quote.origin.to_string(),
                },
            ),
        ]);
    }
    columns.to_string()
}

pub(super) fn disks(report: &CostReport) -> String {
    let headings = ["disk", "claim", "state", "size", "class", "sku", "tier", "$/month"];
    let mut columns = Columns::new(&headings, None);
    for disk in &report.disks {
        let claim = disk.disk.claim.as_ref().map(|(namespace, name)| format!("{namespace}/{name}"));
        columns.row([
            disk.disk.name.to_string(),
            text(claim.as_deref()),
            disk.state.as_str().to_owned(),
            amounts::memory(disk.disk.size),
            text(disk.disk.storage_class.as_deref()),
            text(disk.disk.sku.as_deref()),
            disk.tier.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            monthly(disk.per_month),
        ]);
    }
    columns.to_string()
}
