//! What Azure's public price service says: which of its many meters is the one that is paid.
//!
//! One size has a dozen meters in a region: Windows and Linux, spot, low priority, the Cloud Services of old, dev/test
//! subscriptions, reservations, prices of the past and of the future. Whoever takes the first that matches takes an arbitrary
//! one. Here a meter counts only if it is certain what it is; where two that are left say different prices, the price is not
//! known and that is said. `docs/prices.md` has the rules in words.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};

use super::super::money::Usd;
use super::Region;
use super::book::{Origin, Quote, Sheet, Term, Unit};

const MACHINES: &str = "Virtual Machines";
const STORAGE: &str = "Storage";
/// Snapshots of all sorts of disk are kept on standard storage.
const SNAPSHOT_PRODUCT: &str = "Standard HDD Managed Disks";
/// Names in one question: the address stays well under what servers and proxies take.
const NAMES_PER_QUESTION: usize = 12;
/// Decimals that are kept of a price per month that is a part of a price for years.
const DECIMALS: u32 = 6;

/// One page of an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page {
    pub items: Vec<Item>,
    /// Where the next page is.
    #[serde(default)]
    pub next_page_link: Option<String>,
}

/// One meter of an answer; what is left out or null is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Item {
    #[serde(deserialize_with = "or_empty")]
    arm_region_name: String,
    #[serde(deserialize_with = "or_empty")]
    arm_sku_name: String,
    #[serde(deserialize_with = "or_empty")]
    product_name: String,
    #[serde(deserialize_with = "or_empty")]
    sku_name: String,
    #[serde(deserialize_with = "or_empty")]
    meter_name: String,
    #[serde(deserialize_with = "or_empty")]
    service_name: String,
    #[serde(rename = "type", deserialize_with = "or_empty")]
    sort: String,
    #[serde(deserialize_with = "or_empty")]
    reservation_term: String,
    #[serde(deserialize_with = "or_empty")]
    unit_of_measure: String,
    #[serde(deserialize_with = "or_empty")]
    currency_code: String,
    retail_price: Option<serde_json::Number>,
    tier_minimum_units: Option<f64>,
    is_primary_meter_region: Option<bool>,
    effective_start_date: Option<Timestamp>,
    effective_end_date: Option<Timestamp>,
}

fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// What is to be asked for in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub region: Region,
    /// Sizes by name.
    pub sizes: BTreeSet<String>,
    /// Tiers of disks: `P10 LRS`.
    pub disks: BTreeSet<String>,
    /// Names of snapshots: `Snapshots LRS`.
    pub snapshots: BTreeSet<String>,
}

impl Wanted {
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self { region, sizes: BTreeSet::new(), disks: BTreeSet::new(), snapshots: BTreeSet::new() }
    }

    /// How many things are asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sizes.len() + self.disks.len() + self.snapshots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The questions, each an OData `$filter`: as few as it takes, and for nothing that is not wanted.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let region = self.region;
        let machines = questions(self.sizes.iter().map(|size| format!("armSkuName eq '{size}'")));
        let machines = machines.into_iter().map(|names| {
            format!("serviceName eq '{MACHINES}' and armRegionName eq '{region}' and ({names})")
        });
        let meters = self.disks.iter().map(|tier| disk_meter(tier));
        let meters = meters.chain(self.snapshots.iter().map(|name| snapshot_meter(name)));
        let disks = questions(meters.map(|meter| format!("meterName eq '{meter}'")));
        let disks = disks.into_iter().map(|meters| {
            format!(
                "serviceName eq '{STORAGE}' and armRegionName eq '{region}' and priceType eq 'Consumption' and ({meters})"
            )
        });
        machines.chain(disks).collect()
    }
}

fn questions(clauses: impl Iterator<Item = String>) -> Vec<String> {
    let clauses: Vec<String> = clauses.collect();
    clauses.chunks(NAMES_PER_QUESTION).map(|some| some.join(" or ")).collect()
}

fn disk_meter(tier: &str) -> String {
    format!("{tier} Disk")
}

/// `LRS Snapshots` of `Snapshots LRS`.
fn snapshot_meter(name: &str) -> String {
    name.split_once(' ').map_or_else(|| name.to_owned(), |(what, redundancy)| format!("{redundancy} {what}"))
}

/// The prices that an answer gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub sheet: Sheet,
    pub problems: Vec<Problem>,
}

/// What an answer does not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No meter of the Linux machine, or of the disk.
    Missing { name: String, region: Region },
    /// Meters that cannot be told apart, with different prices.
    Ambiguous { name: String, term: Term, region: Region, prices: Vec<Usd> },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, region } => {
                write!(f, "Azure lists no price of {name} in {region}")
            }
            Self::Ambiguous { name, term, region, prices } => {
                write!(f, "Azure lists {} prices of {name} in {region}, {term}: ", prices.len())?;
                for (index, price) in prices.iter().enumerate() {
                    write!(f, "{}{}", if index > 0 { ", " } else { "" }, price.plain())?;
                }
                f.write_str("; none of them is taken")
            }
        }
    }
}

/// Chooses the meters of what is wanted, among those in force now.
#[must_use]
pub fn choose(items: &[Item], wanted: &Wanted, now: Timestamp) -> Answer {
    let mut candidates: BTreeMap<(String, Term), Vec<(&Item, Unit, Usd)>> = BTreeMap::new();
    for item in items.iter().filter(|item| item.is_in_force(now) && item.is_of(wanted.region)) {
        let found = item.machine(wanted).or_else(|| item.disk(wanted));
        if let Some(((name, term, unit), price)) = found.zip(item.price()) {
            candidates.entry((name, term)).or_default().push((item, unit, price));
        }
    }
    let listed = Some(now.to_zoned(TimeZone::UTC).date());
    let mut answer = Answer::default();
    for ((name, term), meters) in candidates {
        let meters = newest(primary(meters));
        let prices: BTreeSet<Usd> = meters.iter().map(|(_, _, price)| *price).collect();
        let [(item, unit, price), ..] = meters[..] else { continue };
        if prices.len() > 1 {
            let (region, prices) = (wanted.region, prices.into_iter().collect());
            answer.problems.push(Problem::Ambiguous { name, term, region, prices });
            continue;
        }
        let (usd, unit) = match term {
            // Reservations are listed for the whole term, whatever their unit says.
            Term::ReservedOneYear => (price.divided(12).rounded(DECIMALS), Unit::Month),
            Term::ReservedThreeYears => (price.divided(36).rounded(DECIMALS), Unit::Month),
            Term::OnDemand | Term::Spot => (price, unit),
        };
        let meter = Some(format!("{}, {}", item.product_name, item.meter_name));
        let quote = Quote { usd, unit, listed, meter, origin: Origin::Azure };
        answer.sheet.insert(wanted.region, &name, term, quote);
    }
    for name in wanted.sizes.iter().chain(&wanted.disks).chain(&wanted.snapshots) {
        let is_told = answer.problems.iter().any(
            |problem| matches!(problem, Problem::Ambiguous { name: told, term: Term::OnDemand, .. } if told == name),
        );
        if !is_told && answer.sheet.get(wanted.region, name, Term::OnDemand).is_none() {
            answer.problems.push(Problem::Missing { name: name.clone(), region: wanted.region });
        }
    }
    answer
}

type Meters<'a> = Vec<(&'a Item, Unit, Usd)>;

/// A meter of another region may be listed under this one as well: where a region has its own, that counts.
fn primary(meters: Meters<'_>) -> Meters<'_> {
    let has_own = meters.iter().any(|(item, ..)| item.is_primary_meter_region == Some(true));
    meters.into_iter().filter(|(item, ..)| !has_own || item.is_primary_meter_region == Some(true)).collect()
}

/// Of prices in force, the one that came into force last.
fn newest(meters: Meters<'_>) -> Meters<'_> {
    let last = meters.iter().map(|(item, ..)| item.effective_start_date).max().flatten();
    meters.into_iter().filter(|(item, ..)| item.effective_start_date == last).collect()
}

impl Item {
    fn is_in_force(&self, now: Timestamp) -> bool {
        self.effective_start_date.is_none_or(|start| start <= now)
            && self.effective_end_date.is_none_or(|end| end > now)
    }

    fn is_of(&self, region: Region) -> bool {
        self.arm_region_name == region.name() && matches!(self.currency_code.as_str(), "USD" | "")
    }

    fn price(&self) -> Option<Usd> {
        Usd::price(&self.retail_price.as_ref()?.to_string()).ok()
    }

    /// Which price of a machine it is: Linux, of virtual machines and nothing else, and not of low priority.
    fn machine(&self, wanted: &Wanted) -> Option<(String, Term, Unit)> {
        let is_machine = self.service_name == MACHINES
            && self.product_name.starts_with(MACHINES)
            && wanted.sizes.contains(&self.arm_sku_name);
        // Products of Windows end so, in full or cut short: "Virtual Machines Esv5 Series Windows", "... Srs Win".
        let is_windows = self
            .product_name
            .split_whitespace()
            .next_back()
            .is_some_and(|last| matches!(last, "Windows" | "Win"));
        // Cloud Services have the size's name and Windows' price.
        let is_cloud_services = self.product_name.replace(' ', "").contains("CloudServices");
        let says = |word: &str| self.sku_name.contains(word) || self.meter_name.contains(word);
        if !is_machine || is_windows || is_cloud_services || says("Low Priority") || says("Expired") {
            return None;
        }
        let term = match (self.sort.as_str(), self.reservation_term.as_str()) {
            ("Consumption", _) if says("Spot") => Term::Spot,
            ("Consumption", _) => Term::OnDemand,
            ("Reservation", "1 Year") => Term::ReservedOneYear,
            ("Reservation", "3 Years") => Term::ReservedThreeYears,
            // Dev/test subscriptions, and terms that are not compared.
            _ => return None,
        };
        let is_by_time = self.sort == "Reservation" || self.unit_of_measure == "1 Hour";
        let is_first_tier = self.tier_minimum_units.is_none_or(|from| from == 0.0);
        (is_by_time && is_first_tier).then(|| (self.arm_sku_name.clone(), term, Unit::Hour))
    }

    /// Which price of a disk or of snapshots it is. Mounts of shared disks and operations have other meters.
    fn disk(&self, wanted: &Wanted) -> Option<(String, Term, Unit)> {
        let is_first_tier = self.tier_minimum_units.is_none_or(|from| from == 0.0);
        if self.service_name != STORAGE || self.sort != "Consumption" || !is_first_tier {
            return None;
        }
        let unit = self.unit_of_measure.replace(['/', ' '], "");
        let found = match unit.as_str() {
            "1Month" if self.product_name.ends_with("Managed Disks") => {
                let tier = wanted.disks.iter().find(|tier| disk_meter(tier) == self.meter_name);
                tier.map(|tier| (tier, Unit::Month))
            }
            "1GBMonth" | "1GiBMonth" if self.product_name == SNAPSHOT_PRODUCT => {
                let name = wanted.snapshots.iter().find(|name| snapshot_meter(name) == self.meter_name);
                name.map(|name| (name, Unit::GibMonth))
            }
            _ => None,
        };
        found.map(|(name, unit)| (name.clone(), Term::OnDemand, unit))
    }
}
