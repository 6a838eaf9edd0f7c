//! The price book: own prices before those that were fetched, and these before the built-in list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;

use super::super::money::Usd;
use super::prices::{self, PRICES_LISTED, PRICES_SOURCE, UsdPerHour};
use super::{Region, regions};

/// How a machine is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// Pay-as-you-go.
    OnDemand,
    Spot,
    ReservedOneYear,
    ReservedThreeYears,
}

impl Term {
    pub const ALL: [Self; 4] = [Self::OnDemand, Self::Spot, Self::ReservedOneYear, Self::ReservedThreeYears];

    /// The name in price files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::ReservedOneYear => "reserved-1y",
            Self::ReservedThreeYears => "reserved-3y",
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Term {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|term| term.as_str() == text).ok_or(())
    }
}

/// What a price is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Hour,
    /// Of 730 hours.
    Month,
    /// A GiB for a month: snapshots.
    GibMonth,
}

impl Unit {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Month, Self::GibMonth];

    /// The name in price files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Month => "month",
            Self::GibMonth => "gib-month",
        }
    }
}

impl FromStr for Unit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == text).ok_or(())
    }
}

/// Where a price comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file that the operator named.
    File(String),
    /// Azure's retail price service.
    Azure,
    /// The list in the binary.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => f.write_str(name),
            Self::Azure => f.write_str("Azure retail prices"),
            Self::BuiltIn => f.write_str(PRICES_SOURCE),
        }
    }
}

/// One price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub usd: Usd,
    pub unit: Unit,
    /// When it was listed; none where the file does not say.
    pub listed: Option<Date>,
    /// Which meter of Azure's it is, where it was fetched.
    pub meter: Option<String>,
    pub origin: Origin,
}

impl Quote {
    /// Per hour; none for what is not paid by time alone.
    #[must_use]
    pub fn per_hour(&self) -> Option<Usd> {
        match self.unit {
            Unit::Hour => Some(self.usd),
            Unit::Month => Some(self.usd.monthly_to_hourly()),
            Unit::GibMonth => None,
        }
    }

    /// Per month of 730 hours; none for what is not paid by time alone.
    #[must_use]
    pub fn per_month(&self) -> Option<Usd> {
        match self.unit {
            Unit::Hour => Some(self.usd.hourly_to_monthly()),
            Unit::Month => Some(self.usd),
            Unit::GibMonth => None,
        }
    }
}

/// Prices of one origin, by region, name and term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    prices: BTreeMap<Region, BTreeMap<String, BTreeMap<Term, Quote>>>,
}

impl Sheet {
    /// Adds a price; gives back the one that was there.
    pub fn insert(&mut self, region: Region, name: &str, term: Term, quote: Quote) -> Option<Quote> {
        self.prices.entry(region).or_default().entry(name.to_owned()).or_default().insert(term, quote)
    }

    #[must_use]
    pub fn get(&self, region: Region, name: &str, term: Term) -> Option<&Quote> {
        self.prices.get(&region)?.get(name)?.get(&term)
    }

    /// All prices, by region, name and term.
    pub fn iter(&self) -> impl Iterator<Item = (Region, &str, Term, &Quote)> {
        self.prices.iter().flat_map(|(region, names)| {
            names.iter().flat_map(move |(name, terms)| {
                terms.iter().map(move |(term, quote)| (*region, name.as_str(), *term, quote))
            })
        })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Takes over the prices of a newer sheet; others stay as they are, with their own dates.
    pub fn update(&mut self, newer: &Self) {
        for (region, name, term, quote) in newer.iter() {
            self.insert(region, name, term, quote.clone());
        }
    }
}

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

/// All that is known of prices. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    own: Option<Arc<Sheet>>,
    fetched: Option<Arc<Sheet>>,
}

impl PriceBook {
    /// With the operator's own prices and those that were fetched, over the built-in list.
    #[must_use]
    pub fn new(own: Option<Sheet>, fetched: Option<Sheet>) -> Self {
        Self { own: own.map(Arc::new), fetched: fetched.map(Arc::new) }
    }

    fn sheets(&self) -> impl Iterator<Item = &Sheet> {
        [&self.own, &self.fetched].into_iter().flatten().map(Arc::as_ref)
    }

    /// The price of a size or disk tier; the operator's own wins over one that was fetched, and that over the built-in.
    #[must_use]
    pub fn quote(&self, region: Region, name: &str, term: Term) -> Option<Quote> {
        let known = self.sheets().find_map(|sheet| sheet.get(region, name, term));
        known.cloned().or_else(|| {
            let usd = prices::listed(name, region.name()).filter(|_| term == Term::OnDemand)?;
            let listed = PRICES_LISTED.parse().ok();
            Some(Quote { usd, unit: Unit::Hour, listed, meter: None, origin: Origin::BuiltIn })
        })
    }

    /// What a machine of this size costs, per hour, as numbers to rank by.
    #[must_use]
    pub fn prices(&self, region: Region, size: &str) -> Prices {
        if self.own.is_none() && self.fetched.is_none() {
            // The list alone has a price on demand and nothing else.
            return Prices { on_demand: prices::on_demand(size, region.name()), ..Prices::default() };
        }
        let of = |term| Some(UsdPerHour(self.quote(region, size, term)?.per_hour()?.as_f64()));
        Prices {
            on_demand: of(Term::OnDemand),
            reserved_1y: of(Term::ReservedOneYear),
            reserved_3y: of(Term::ReservedThreeYears),
            spot: of(Term::Spot),
        }
    }

    /// The names of the regions that there are prices of, in order.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<&'static str> {
        let listed = regions().iter().copied();
        listed
            .chain(self.sheets().flat_map(|sheet| sheet.prices.keys().map(|region| region.name())))
            .collect()
    }

    /// Where the prices on demand of these sizes come from, each with its date.
    #[must_use]
    pub fn sources<'a>(
        &self,
        region: Region,
        sizes: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<(Origin, Option<Date>)> {
        let quotes = sizes.into_iter().filter_map(|size| self.quote(region, size, Term::OnDemand));
        quotes.map(|quote| (quote.origin, quote.listed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(usd: &str, unit: Unit, origin: Origin) -> Quote {
        Quote { usd: usd.parse().unwrap(), unit, listed: None, meter: None, origin }
    }

    fn sheet(prices: &[(&str, Term, Quote)]) -> Sheet {
        let region = Region::find("eastus").unwrap();
        let mut sheet = Sheet::default();
        for (name, term, quote) in prices {
            assert_eq!(sheet.insert(region, name, *term, quote.clone()), None);
        }
        sheet
    }

    #[test]
    fn own_prices_win_over_fetched_ones_and_these_over_the_list() {
        let region = Region::find("eastus").unwrap();
        let (e8, e16, e32) = ("Standard_E8s_v5", "Standard_E16s_v5", "Standard_E32s_v5");
        let own = Origin::File("own.csv".to_owned());
        let book = PriceBook::new(
            Some(sheet(&[(e8, Term::OnDemand, quote("0.4", Unit::Hour, own.clone()))])),
            Some(sheet(&[
                (e8, Term::OnDemand, quote("0.51", Unit::Hour, Origin::Azure)),
                (e16, Term::OnDemand, quote("1.1", Unit::Hour, Origin::Azure)),
                (e16, Term::ReservedOneYear, quote("438", Unit::Month, Origin::Azure)),
            ])),
        );
        let of =
            |size, term| book.quote(region, size, term).map(|quote| (quote.usd.to_string(), quote.origin));
        assert_eq!(of(e8, Term::OnDemand), Some(("$0.40".to_owned(), own.clone())));
        assert_eq!(of(e16, Term::OnDemand), Some(("$1.10".to_owned(), Origin::Azure)));
        assert_eq!(of(e32, Term::OnDemand), Some(("$2.02".to_owned(), Origin::BuiltIn)));
        assert_eq!(of(e32, Term::Spot), None, "not known, never 0");
        let prices = book.prices(region, e16);
        assert_eq!(prices.on_demand, Some(UsdPerHour(1.1)));
        // 438 a month is 0.60 an hour.
        assert_eq!(
            (prices.reserved_1y, prices.reserved_3y, prices.spot),
            (Some(UsdPerHour(0.6)), None, None)
        );
        let sources: Vec<_> =
            book.sources(region, [e8, e16, e32]).into_iter().map(|(origin, _)| origin).collect();
        assert_eq!(sources, [own, Origin::Azure, Origin::BuiltIn]);
    }

    #[test]
    fn a_book_knows_its_regions() {
        let norway = Region::find("norwayeast").unwrap();
        assert!(!PriceBook::default().regions().contains("norwayeast"));
        let mut own = Sheet::default();
        own.insert(norway, "Standard_E8s_v5", Term::OnDemand, quote("0.6", Unit::Hour, Origin::Azure));
        let book = PriceBook::new(Some(own), None);
        assert!(book.regions().contains("norwayeast") && book.regions().contains("eastus"));
        assert_eq!(book.regions().len(), 19);
    }

    #[test]
    fn the_default_book_is_the_built_in_list() {
        let (book, region) = (PriceBook::default(), Region::find("eastus").unwrap());
        assert_eq!(book.prices(region, "Standard_E16s_v5").on_demand, Some(UsdPerHour(1.008)));
        assert_eq!(book.prices(region, "Standard_Unheard"), Prices::default());
        let quote = book.quote(region, "Standard_E16s_v5", Term::OnDemand).unwrap();
        assert_eq!(quote.listed.map(|date| date.to_string()).as_deref(), Some(PRICES_LISTED));
        assert_eq!(quote.per_month(), "735.84".parse().ok());
    }
}
