//! Prices: files of one's own, what was fetched before, and fetching over real HTTP from a service that speaks as Azure's does.

use std::cell::RefCell;
use std::net::TcpListener;
use std::time::Duration;

use http::Uri;
use jiff::Timestamp;
use serde_json::{Value, json};
use shardctl::domain::catalogue::retail::Wanted;
use shardctl::domain::catalogue::{Region, Sheet, Term};
use shardctl::{CommandError, ExitCode, retail};

use crate::price_service::{PriceService, Reply, disk, machine, meters_of};
use crate::support::{Folder, Run};
use crate::{says_what_next, shardctl};

const SIZE: &str = "Standard_E16s_v5";
const HEADER: &str = "region,name,term,usd,unit\n";

fn eastus() -> Region {
    Region::find("eastus").expect("a region")
}

fn wanted(sizes: &[&str], disks: &[&str]) -> Wanted {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Wanted { sizes: set(sizes), disks: set(disks), ..Wanted::new(eastus()) }
}

/// What was fetched, what was missing, and what was said meanwhile.
struct Fetched {
    result: Result<(Sheet, Vec<String>), CommandError>,
    said: Vec<String>,
}

fn fetch(address: &str, wanted: &[Wanted]) -> Fetched {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let service: Uri = address.parse().expect("an address");
    let said = RefCell::new(Vec::new());
    let say = |line: &str| said.borrow_mut().push(line.to_owned());
    let timeout = Duration::from_millis(500);
    let result = runtime.block_on(retail::fetch(&service, wanted, Timestamp::now(), timeout, &say));
    let result = result
        .map(|(sheet, problems)| (sheet, problems.iter().map(ToString::to_string).collect::<Vec<String>>()));
    Fetched { result, said: said.into_inner() }
}

#[track_caller]
fn prices(fetched: Fetched) -> (Sheet, Vec<String>) {
    fetched.result.unwrap_or_else(|error| panic!("{error} {:?}", error.hints))
}

/// Asserts that it failed with these words, and that something is said about what to do.
#[track_caller]
fn failed(fetched: Fetched, words: &str) {
    let error = fetched.result.expect_err("it fails");
    assert!(error.to_string().contains(words), "`{words}` is not in `{error}`");
    assert_eq!(error.exit, ExitCode::Failed);
    assert!(error.hints.iter().any(|hint| hint.contains("leave out --refresh")), "{:?}", error.hints);
}

fn price(sheet: &Sheet, name: &str, term: Term) -> Option<String> {
    sheet.get(eastus(), name, term).map(|quote| quote.usd.plain())
}

#[test]
fn the_linux_meter_is_found_among_all_that_are_listed() {
    let items = [
        meters_of(SIZE, 1.008),
        meters_of("Standard_E8s_v5", 0.504),
        vec![disk("P10 LRS", 19.71, json!({}))],
    ];
    let service = PriceService::start(items.concat(), 1000);
    let (sheet, problems) = prices(fetch(&service.address, &[wanted(&[SIZE], &["P10 LRS"])]));
    assert_eq!(problems, [""; 0]);
    assert_eq!(price(&sheet, SIZE, Term::OnDemand).as_deref(), Some("1.008"));
    assert_eq!(price(&sheet, SIZE, Term::Spot).as_deref(), Some("0.252"));
    // 5,040 for a year is 420 a month; 10,080 for three is 280.
    assert_eq!(price(&sheet, SIZE, Term::ReservedOneYear).as_deref(), Some("420"));
    assert_eq!(price(&sheet, SIZE, Term::ReservedThreeYears).as_deref(), Some("280"));
    assert_eq!(price(&sheet, "P10 LRS", Term::OnDemand).as_deref(), Some("19.71"));
    // What nobody asked for was not sent for.
    assert_eq!(price(&sheet, "Standard_E8s_v5", Term::OnDemand), None);
    let asked = service.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|question| !question.contains("E8s")), "{asked:?}");
}

#[test]
fn pages_are_followed_and_a_mirror_is_not_left() {
    let service = PriceService::start(meters_of(SIZE, 1.008), 2);
    let (sheet, _) = prices(fetch(&service.address, &[wanted(&[SIZE], &[])]));
    assert_eq!(price(&sheet, SIZE, Term::OnDemand).as_deref(), Some("1.008"));
    assert_eq!(price(&sheet, SIZE, Term::ReservedThreeYears).as_deref(), Some("280"));
    // Nine meters, two on a page; the links name another host, which does not exist.
    assert_eq!(service.asked().len(), 5);
}

#[test]
fn many_sizes_take_several_questions() {
    let names: Vec<String> = (1..30).map(|number| format!("Standard_E{number}s_v5")).collect();
    let items: Vec<Value> = names.iter().flat_map(|name| meters_of(name, 1.0)).collect();
    let service = PriceService::start(items, 7);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (sheet, problems) = prices(fetch(&service.address, &[wanted(&names, &[])]));
    assert_eq!(problems, [""; 0]);
    assert!(names.iter().all(|name| price(&sheet, name, Term::Spot).as_deref() == Some("0.25")));
}

#[test]
fn a_busy_service_is_asked_again_when_it_says() {
    let busy = [Reply::Status(429, Some("1")), Reply::Status(503, None)];
    let service = PriceService::start(meters_of(SIZE, 1.008), 1000).says_first(&busy);
    let fetched = fetch(&service.address, &[wanted(&[SIZE], &[])]);
    assert!(
        fetched.said.iter().any(|line| line.contains("it is busy (429); asked again in 1.")),
        "{:?}",
        fetched.said
    );
    assert_eq!(fetched.said.len(), 2, "{:?}", fetched.said);
    assert_eq!(price(&prices(fetched).0, SIZE, Term::OnDemand).as_deref(), Some("1.008"));
    assert_eq!(service.asked().len(), 3);
}

#[test]
fn nobody_waits_for_an_hour() {
    let service = PriceService::start(Vec::new(), 10).says_first(&[Reply::Status(429, Some("3600"))]);
    failed(fetch(&service.address, &[wanted(&[SIZE], &[])]), "it is busy (429) and asks to wait 1h");
    assert_eq!(service.asked().len(), 1, "it is not asked again");
}

#[test]
fn a_refusal_is_not_asked_again() {
    let service = PriceService::start(Vec::new(), 10).says_first(&[Reply::Status(400, None)]);
    failed(fetch(&service.address, &[wanted(&[SIZE], &[])]), "it answers 400 Bad Request");
    assert_eq!(service.asked().len(), 1);
    let elsewhere = service.address.replace("/api/retail/prices", "/other");
    failed(fetch(&elsewhere, &[wanted(&[SIZE], &[])]), "it answers 404 Not Found");
}

#[test]
fn what_is_no_list_of_prices_is_told_with_its_page() {
    for (text, words) in [
        ("<html>Welcome to nginx!</html>", "page 1 is no list of prices: expected value at line 1"),
        (r#"{"Items": [{"retailPrice": "#, "page 1 is no list of prices: EOF"),
        (r#"{"items": []}"#, "page 1 is no list of prices: missing field `Items`"),
        (r#"{"Items": [{"retailPrice": "free"}]}"#, "page 1 is no list of prices: invalid type"),
        (r#"{"Items": [], "NextPageLink": "not an address"}"#, "`not an address` leads nowhere"),
        (r#"{"Items": [], "NextPageLink": "https://prices.azure.com/"}"#, "leads nowhere"),
    ] {
        let service = PriceService::start(Vec::new(), 10).says_first(&[Reply::Text(text.to_owned())]);
        failed(fetch(&service.address, &[wanted(&[SIZE], &[])]), words);
    }
    let second = json!({"Items": [], "NextPageLink": "https://prices.azure.com/?$skip=10"}).to_string();
    let replies = [Reply::Text(second), Reply::Text("oops".to_owned())];
    let service = PriceService::start(Vec::new(), 10).says_first(&replies);
    failed(fetch(&service.address, &[wanted(&[SIZE], &[])]), "page 2 is no list of prices");
}

#[test]
fn pages_that_lead_in_a_circle_are_left() {
    let to = |skip: u32| {
        let link = format!("https://prices.azure.com/api/retail/prices?$skip={skip}");
        Reply::Text(json!({"Items": [], "NextPageLink": link}).to_string())
    };
    let service = PriceService::start(Vec::new(), 10).says_first(&[to(10), to(20), to(10)]);
    failed(
        fetch(&service.address, &[wanted(&[SIZE], &[])]),
        "page 3 leads back to a page that was read already",
    );
    let endless: Vec<Reply> = (1..200).map(to).collect();
    let service = PriceService::start(Vec::new(), 10).says_first(&endless);
    failed(fetch(&service.address, &[wanted(&[SIZE], &[])]), "the list of pages does not end");
    assert_eq!(service.asked().len(), 100);
}

#[test]
fn a_size_that_is_not_listed_is_told_and_the_others_are_taken() {
    let mut items = meters_of(SIZE, 1.008);
    // Of this one there is a price for Windows only.
    let windows = json!({"productName": "Virtual Machines Esv5 Series Windows"});
    items.push(machine("Standard_E32s_v5", 3.4, windows));
    let service = PriceService::start(items, 1000);
    let (sheet, problems) =
        prices(fetch(&service.address, &[wanted(&[SIZE, "Standard_E32s_v5"], &["P15 LRS"])]));
    assert_eq!(price(&sheet, SIZE, Term::OnDemand).as_deref(), Some("1.008"));
    assert_eq!(
        problems,
        ["Azure lists no price of Standard_E32s_v5 in eastus", "Azure lists no price of P15 LRS in eastus"]
    );
    let twice = PriceService::start(
        vec![machine(SIZE, 1.0, json!({})), machine(SIZE, 2.0, json!({"meterName": "E16s v5 B"}))],
        10,
    );
    let (sheet, problems) = prices(fetch(&twice.address, &[wanted(&[SIZE], &[])]));
    assert!(sheet.is_empty());
    assert!(problems[0].ends_with("1, 2; none of them is taken"), "{problems:?}");
}

#[test]
fn a_mirror_that_speaks_no_tls_is_told() {
    let service = PriceService::start(Vec::new(), 10);
    let secure = service.address.replace("http://", "https://");
    failed(fetch(&secure, &[wanted(&[SIZE], &[])]), "tls handshake eof");
}

#[test]
fn a_service_that_is_not_there_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    failed(fetch(&format!("http://{closed}/x"), &[wanted(&[SIZE], &[])]), "connection refused");
    let silence = vec![Reply::Silence; 10];
    let silent = PriceService::start(Vec::new(), 10).says_first(&silence);
    failed(fetch(&silent.address, &[wanted(&[SIZE], &[])]), "no answer within 500ms");
    assert_eq!(silent.asked().len(), 4, "three more tries");
}

/// Plans for the file that `shardctl init` writes, in a region, with a file of prices.
fn plan(home: &Folder, region: &str, prices: &str, args: &[&str]) -> Run {
    let shardctl = shardctl(home);
    let set = home.write("shardset.yaml", shardctl.run(["init"]).ended(0).stdout);
    let file = home.write("own.csv", prices);
    let (set, file) = (set.to_str().expect("a path"), file.to_str().expect("a path"));
    let fixed = ["plan", "-f", set, "--region", region, "--prices", file];
    shardctl.run(fixed.iter().chain(&["--daemonset-overhead", "cpu=500m,memory=0.8Gi"]).chain(args))
}

fn json(run: Run) -> Value {
    serde_json::from_str(&run.ended(0).stdout).expect("JSON")
}

fn size<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = report["sizes"].as_array().expect("a list").iter().find(|size| size["instanceType"] == name);
    found.unwrap_or_else(|| panic!("{name} is not shown: {report:#}"))
}

#[test]
fn plan_takes_own_prices() {
    let home = Folder::new("prices");
    let lines = format!(
        "{HEADER}eastus,{SIZE},on-demand,0.1,hour\neastus,{SIZE},reserved-1y,36.5,month\n\
         eastus,{SIZE},spot,0.02,hour\n"
    );
    let report = json(plan(&home, "eastus", &lines, &["-o", "json"]));
    assert_eq!(report["recommended"], SIZE, "ten times cheaper than any: {report:#}");
    let prices = &size(&report, SIZE)["pricePerNodeHourUsd"];
    assert_eq!(
        prices,
        &json!({"onDemand": 0.1, "reservedOneYear": 0.05, "reservedThreeYears": null, "spot": 0.02})
    );
    // 4 x 0.1 x 730.
    assert_eq!(size(&report, SIZE)["pricePerMonthUsd"], 292.0);
    let text = plan(&home, "eastus", &lines, &["--top", "2"]).ended(0);
    text.said("own.csv; karpenter-provider-azure 352646f5, 2026-06-18");
}

#[test]
fn a_region_that_the_list_has_not_takes_own_prices() {
    let home = Folder::new("prices");
    let lines = format!("{HEADER}norwayeast,{SIZE},on-demand,1.2,hour\n");
    let report = json(plan(&home, "norwayeast", &lines, &["-o", "json"]));
    assert_eq!(report["sizes"].as_array().map(Vec::len), Some(1));
    let other = format!("{HEADER}eastus,{SIZE},on-demand,1.2,hour\n");
    let run = plan(&home, "norwayeast", &other, &[]).ended(2);
    let run = run.complained("no prices are known of region `norwayeast`").complained("--prices FILE");
    says_what_next(&run);
}

#[test]
fn what_was_fetched_before_is_used_and_a_broken_cache_is_told() {
    let home = Folder::new("prices");
    let own = format!("{HEADER}eastus,Standard_E8s_v5,on-demand,9,hour\n");
    let cache = home.path().join(".cache/shardctl/prices");
    std::fs::create_dir_all(&cache).expect("a folder");
    let cache = cache.join("azure-retail.csv");
    let header = "region,name,term,usd,unit,listed,meter\n";
    let line =
        format!("eastus,{SIZE},on-demand,0.1,hour,2026-11-20,\"Virtual Machines Esv5 Series, E16s v5\"\n");
    std::fs::write(&cache, format!("{header}{line}")).expect("a file");
    let text = plan(&home, "eastus", &own, &["--top", "1"]).ended(0).said("Azure retail prices, 2026-11-20");
    assert_eq!(text.stderr, "");
    std::fs::write(&cache, "region,name\n").expect("a file");
    let run = plan(&home, "eastus", &own, &["--top", "1"]).ended(0);
    run.complained("warning: the fetched prices are left out")
        .complained("line 1: the column `term` is missing");
}

#[test]
fn a_wrong_file_is_told_before_anything_is_asked() {
    let home = Folder::new("prices");
    let shardctl = shardctl(&home);
    let cases = [
        ("region,name,usd,unit\n", "line 1: the column `term` is missing", "region,name,term,usd,unit"),
        ("region,name,term,usd,unit,eur\n", "line 1: there is no column `eur`", "region,name,term,usd,unit"),
        (
            "region,name,term,usd,unit\nwesteurop,P1 LRS,spot,1,month\n",
            "line 2: there is no region `westeurop`",
            "did you mean `westeurope`?",
        ),
        (
            "region,name,term,usd,unit\neastus,E16s_v5,spot,1,hour\n",
            "line 2: there is no size or disk `E16s_v5`",
            "did you mean `Standard_E16s_v5`?",
        ),
        (
            "region,name,term,usd,unit\neastus,P1 LRS,forever,1,month\n",
            "line 2: there is no term `forever`",
            "on-demand, spot, reserved-1y, reserved-3y",
        ),
        (
            "region,name,term,usd,unit\neastus,P1 LRS,spot,-1,month\n",
            "line 2: `-1` is negative",
            "write US dollars",
        ),
        (
            "region,name,term,usd,unit\neastus,P1 LRS,spot,NaN,month\n",
            "line 2: `NaN` is not a number",
            "write US dollars",
        ),
        (
            "region,name,term,usd,unit\n\n# twice\neastus,P1 LRS,spot,1,month\neastus,P1 LRS,spot,2,month\n",
            "line 5: P1 LRS in eastus, spot, has a price in line 4 already",
            "leave one",
        ),
    ];
    for (text, error, hint) in cases {
        let file = home.write("own.csv", text);
        let file = file.to_str().expect("a path");
        // There is no kubeconfig: what is wrong with the file is found first.
        let run =
            shardctl.run(["costs", "kafka", "--prices", file]).ended(2).complained(error).complained(hint);
        says_what_next(&run);
    }
    let run = shardctl.run(["costs", "--all", "--prices", "no-such.csv"]).ended(2);
    says_what_next(&run.complained("read no-such.csv: no such file or directory"));
    let latin = home.write("latin.csv", b"region,name,term,usd,unit\neastus,P1 LRS,spot,\xff,month\n");
    let run = shardctl.run(["costs", "--all", "--prices", latin.to_str().expect("a path")]).ended(2);
    says_what_next(&run.complained("UTF-8"));
}

#[test]
fn a_wrong_command_line_is_told_before_anything_is_asked() {
    let home = Folder::new("prices");
    let shardctl = shardctl(&home);
    let cases: [(&[&str], &str); 7] = [
        (&["--region", "eastuss"], "did you mean eastus?"),
        (&["--region", "mars"], "prices are known of australiaeast"),
        (&["kafka", "--all"], "cannot be used with"),
        (&["--nodepool", "a", "--all"], "cannot be used with"),
        (&["--refresh-from", "http://localhost"], "--refresh"),
        (&["--refresh", "--refresh-from", "prices.example.com"], "write http:// or https:// and a host"),
        (&["-o", "csv"], "[possible values: table, wide, json, yaml]"),
    ];
    for (args, expected) in cases {
        let run = shardctl.run(["costs"].iter().chain(args)).ended(2).complained(expected);
        assert_eq!(run.stdout, "", "{args:?}");
        says_what_next(&run);
    }
}
