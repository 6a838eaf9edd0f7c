use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-22T12:00:00Z";

fn wanted() -> Wanted {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Wanted {
        region: Region::find("eastus").unwrap(),
        sizes: set(&["Standard_E16s_v5"]),
        disks: set(&["P10 LRS"]),
        snapshots: set(&["Snapshots LRS"]),
    }
}

/// The Linux meter of an E16s_v5 with some fields changed.
fn meter(price: f64, changes: Value) -> Value {
    let mut item = json!({
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": "eastus", "location": "US East", "effectiveStartDate": "2021-11-01T00:00:00Z",
        "meterName": "E16s v5", "productName": "Virtual Machines Esv5 Series", "skuName": "Standard_E16s_v5",
        "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption",
        "isPrimaryMeterRegion": true, "armSkuName": "Standard_E16s_v5", "reservationTerm": null,
    });
    for (key, value) in changes.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

fn disk(price: f64, changes: Value) -> Value {
    let mut item = meter(
        price,
        json!({"serviceName": "Storage", "productName": "Premium SSD Managed Disks", "skuName": "P10 LRS",
               "meterName": "P10 LRS Disk", "unitOfMeasure": "1/Month", "armSkuName": ""}),
    );
    for (key, value) in changes.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

fn chosen(items: Vec<Value>) -> Answer {
    let page: Page = serde_json::from_value(json!({"Items": items, "NextPageLink": null})).unwrap();
    choose(&page.items, &wanted(), NOW.parse().unwrap())
}

fn price(answer: &Answer, name: &str, term: Term) -> Option<String> {
    let quote = answer.sheet.get(Region::find("eastus").unwrap(), name, term)?;
    Some(format!("{} {}", quote.usd.plain(), quote.unit.as_str()))
}

const SIZE: &str = "Standard_E16s_v5";

/// Everything that is listed beside the Linux meter of a size and is something else.
fn traps() -> Vec<Value> {
    vec![
        meter(1.744, json!({"productName": "Virtual Machines Esv5 Series Windows"})),
        meter(1.744, json!({"productName": "Virtual Machines Esv5 Srs Win"})),
        meter(1.744, json!({"productName": "Esv5 Series Cloud Services"})),
        meter(1.744, json!({"productName": "Virtual Machines Esv5 Series CloudServices"})),
        meter(9.9, json!({"productName": "Esv5 Series Dedicated Host"})),
        meter(
            0.2016,
            json!({"skuName": "Standard_E16s_v5 Low Priority", "meterName": "E16s v5 Low Priority"}),
        ),
        meter(0.9, json!({"type": "DevTestConsumption"})),
        meter(0.8, json!({"effectiveStartDate": "2027-01-01T00:00:00Z"})),
        meter(1.2, json!({"effectiveStartDate": "2019-01-01T00:00:00Z"})),
        meter(1.3, json!({"effectiveEndDate": "2022-01-01T00:00:00Z"})),
        meter(1.4, json!({"isPrimaryMeterRegion": false})),
        meter(1.5, json!({"armRegionName": "eastus2"})),
        meter(1.6, json!({"armSkuName": "Standard_E16s_v4"})),
        meter(1.7, json!({"unitOfMeasure": "100 Hours"})),
        meter(1.8, json!({"currencyCode": "EUR"})),
        meter(0.5, json!({"tierMinimumUnits": 1000.0})),
        meter(0.0, json!({})),
        meter(20_000.0, json!({"type": "Reservation", "reservationTerm": "5 Years"})),
    ]
}

#[test]
fn only_the_linux_meter_counts_whatever_the_order() {
    let right = meter(1.008, json!({}));
    for turn in 0..traps().len() {
        let mut items = traps();
        items.push(right.clone());
        items.rotate_left(turn);
        let answer = chosen(items);
        assert_eq!(
            price(&answer, SIZE, Term::OnDemand).as_deref(),
            Some("1.008 hour"),
            "{:?}",
            answer.problems
        );
    }
    let is_other = |trap: &Value| {
        trap["effectiveStartDate"] != "2019-01-01T00:00:00Z" && trap["isPrimaryMeterRegion"] == true
    };
    let answer = chosen(traps().into_iter().filter(is_other).collect());
    assert!(answer.problems.contains(&Problem::Missing { name: SIZE.to_owned(), region: wanted().region }));
}

#[test]
fn one_by_one_no_trap_is_taken_for_the_price() {
    for trap in traps() {
        // An old price and a meter of another region are taken where there is no better one.
        let is_price =
            trap["effectiveStartDate"] == "2019-01-01T00:00:00Z" || trap["isPrimaryMeterRegion"] == false;
        let answer = chosen(vec![trap.clone()]);
        assert_eq!(price(&answer, SIZE, Term::OnDemand).is_some(), is_price, "{trap}");
    }
}

#[test]
fn spot_and_reservations_have_meters_of_their_own() {
    let answer = chosen(vec![
        meter(1.008, json!({})),
        meter(0.194, json!({"skuName": "Standard_E16s_v5 Spot", "meterName": "E16s v5 Spot"})),
        meter(5208.0, json!({"type": "Reservation", "reservationTerm": "1 Year"})),
        meter(10_009.0, json!({"type": "Reservation", "reservationTerm": "3 Years"})),
        meter(
            0.31,
            json!({"meterName": "E16s v5 Spot", "productName": "Virtual Machines Esv5 Series Windows"}),
        ),
    ]);
    assert_eq!(price(&answer, SIZE, Term::Spot).as_deref(), Some("0.194 hour"));
    // 5,208 for 12 months; 10,009 for 36.
    assert_eq!(price(&answer, SIZE, Term::ReservedOneYear).as_deref(), Some("434 month"));
    assert_eq!(price(&answer, SIZE, Term::ReservedThreeYears).as_deref(), Some("278.027778 month"));
    let quote = answer.sheet.get(wanted().region, SIZE, Term::Spot).unwrap();
    assert_eq!(quote.meter.as_deref(), Some("Virtual Machines Esv5 Series, E16s v5 Spot"));
    assert_eq!(quote.listed.unwrap().to_string(), "2026-11-22");
}

#[test]
fn two_prices_that_cannot_be_told_apart_are_none() {
    let answer = chosen(vec![
        meter(1.008, json!({})),
        meter(1.1, json!({"productName": "Virtual Machines Esv5 Series Extra"})),
    ]);
    assert_eq!(price(&answer, SIZE, Term::OnDemand), None);
    assert_eq!(
        answer.problems[0].to_string(),
        "Azure lists 2 prices of Standard_E16s_v5 in eastus, on-demand: 1.008, 1.1; none of them is taken"
    );
    // The same price twice is one.
    let twice = chosen(vec![meter(1.008, json!({})), meter(1.008, json!({"skuName": "E16s v5"}))]);
    assert_eq!(price(&twice, SIZE, Term::OnDemand).as_deref(), Some("1.008 hour"));
}

#[test]
fn disks_are_paid_by_the_month_and_snapshots_by_the_gib() {
    let answer = chosen(vec![
        disk(19.71, json!({})),
        disk(1.18, json!({"meterName": "P10 LRS Disk Mount"})),
        disk(24.64, json!({"meterName": "P10 ZRS Disk"})),
        disk(0.0005, json!({"meterName": "P10 LRS Disk Operations", "unitOfMeasure": "10K"})),
        disk(17.0, json!({"type": "Reservation", "reservationTerm": "1 Year"})),
        disk(
            0.05,
            json!({"productName": "Standard HDD Managed Disks", "meterName": "LRS Snapshots",
                          "unitOfMeasure": "1 GB/Month"}),
        ),
        disk(0.12, json!({"meterName": "LRS Snapshots", "unitOfMeasure": "1 GB/Month"})),
        disk(
            0.09,
            json!({"productName": "Standard Page Blob", "meterName": "LRS Snapshots",
                          "unitOfMeasure": "1 GB/Month"}),
        ),
    ]);
    assert_eq!(price(&answer, "P10 LRS", Term::OnDemand).as_deref(), Some("19.71 month"));
    assert_eq!(price(&answer, "Snapshots LRS", Term::OnDemand).as_deref(), Some("0.05 gib-month"));
    assert_eq!(answer.problems.len(), 1, "the size is missing: {:?}", answer.problems);
}

#[test]
fn only_what_is_wanted_is_asked_for() {
    let filters = wanted().filters();
    assert_eq!(
        filters,
        [
            "serviceName eq 'Virtual Machines' and armRegionName eq 'eastus' and (armSkuName eq 'Standard_E16s_v5')",
            "serviceName eq 'Storage' and armRegionName eq 'eastus' and priceType eq 'Consumption' and \
             (meterName eq 'P10 LRS Disk' or meterName eq 'LRS Snapshots')",
        ]
    );
    let mut many = Wanted::new(wanted().region);
    assert!(many.is_empty() && many.filters().is_empty());
    many.sizes = (0..25).map(|number| format!("Standard_E{number}s_v5")).collect();
    assert_eq!(many.filters().len(), 3);
}
