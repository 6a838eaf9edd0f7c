//! A price service that speaks as Azure's does: it understands the filters that shardctl sends, and answers in pages.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// What it says instead of prices, once.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, and what `Retry-After` says.
    Status(u16, Option<&'static str>),
    /// This text, with status 200.
    Text(String),
    /// Nothing at all, for as long as the test runs.
    Silence,
}

#[derive(Default)]
struct State {
    items: Vec<Value>,
    page: usize,
    script: VecDeque<Reply>,
    asked: Vec<String>,
}

/// A price service on a port of its own, for as long as the test runs.
pub struct PriceService {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl PriceService {
    /// Serves these meters, so many on a page.
    pub fn start(items: Vec<Value>, page: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/api/retail/prices", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { items, page, ..State::default() }));
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Says these things first, one for each question.
    pub fn says_first(self, replies: &[Reply]) -> Self {
        self.state.lock().expect("a lock").script.extend(replies.iter().cloned());
        self
    }

    /// The questions so far, as they were meant.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().expect("a lock").asked.clone()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let reply = reply(&target, &mut state.lock().expect("a lock"));
        let (status, retry_after, body) = match reply {
            Reply::Status(status, retry_after) => (status, retry_after, "{}".to_owned()),
            Reply::Text(body) => (200, None, body),
            Reply::Silence => {
                std::mem::forget(stream);
                std::mem::forget(reader);
                return;
            }
        };
        let retry_after = retry_after.map_or_else(String::new, |wait| format!("Retry-After: {wait}\r\n"));
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{retry_after}\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn reply(target: &str, state: &mut State) -> Reply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = percent_decode_str(query).decode_utf8_lossy().into_owned();
    state.asked.push(decoded.clone());
    if let Some(reply) = state.script.pop_front() {
        return reply;
    }
    if path != "/api/retail/prices" {
        return Reply::Status(404, None);
    }
    let (filter, skip) = match decoded.split_once("&$skip=") {
        Some((filter, skip)) => (filter, skip.parse().expect("a number")),
        None => (decoded.as_str(), 0_usize),
    };
    let filter = filter.strip_prefix("$filter=").expect("a filter");
    let found: Vec<&Value> = state.items.iter().filter(|item| holds(filter, item)).collect();
    let page: Vec<&Value> = found.iter().skip(skip).take(state.page).copied().collect();
    let (end, encoded) = (skip + page.len(), query.split("&$skip=").next().unwrap_or_default());
    // The link leads to Azure, as that of a mirror does that passes on what it was told.
    let next = (end < found.len())
        .then(|| format!("https://prices.example.invalid:443/api/retail/prices?{encoded}&$skip={end}"));
    let body = json!({"BillingCurrency": "USD", "Items": page, "NextPageLink": next, "Count": page.len()});
    Reply::Text(body.to_string())
}

/// Whether a filter of clauses joined by `and`, some of them `(... or ...)`, holds of an item.
fn holds(filter: &str, item: &Value) -> bool {
    let mut depth = 0;
    let mut clauses = vec![String::new()];
    for word in filter.split(' ') {
        if depth == 0 && word == "and" {
            clauses.push(String::new());
            continue;
        }
        depth += word.matches('(').count();
        depth -= word.matches(')').count();
        let clause = clauses.last_mut().expect("a clause");
        clause.push_str(word);
        clause.push(' ');
    }
    clauses.iter().all(|clause| {
        let clause = clause.trim();
        match clause.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) => inner.split(" or ").any(|one| is(one, item)),
            None => is(clause, item),
        }
    })
}

/// Whether `field eq 'value'` holds of an item.
fn is(clause: &str, item: &Value) -> bool {
    let (field, value) = clause.split_once(" eq ").unwrap_or_else(|| panic!("`{clause}` is no comparison"));
    let field = if field == "priceType" { "type" } else { field };
    let value = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).expect("quotes");
    item[field] == value
}

/// A meter of a machine of this size: its Linux price on demand, with some fields changed.
pub fn machine(size: &str, price: f64, changes: Value) -> Value {
    let plain = size.trim_start_matches("Standard_").replace('_', " ");
    let mut item = json!({
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": "eastus", "location": "US East", "effectiveStartDate": "2021-11-01T00:00:00Z",
        "meterId": "c5a0e3c7", "meterName": plain, "productId": "DZH318Z08Z6K", "skuId": "DZH318Z08Z6K/00HM",
        "productName": "Virtual Machines Esv5 Series", "skuName": size, "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8", "serviceFamily": "Compute", "unitOfMeasure": "1 Hour", "type": "Consumption",
        "isPrimaryMeterRegion": true, "armSkuName": size,
    });
    change(&mut item, &changes);
    item
}

/// A meter of a disk of this tier, per month.
pub fn disk(tier: &str, price: f64, changes: Value) -> Value {
    let mut item = machine("", price, json!({}));
    let own = json!({
        "serviceName": "Storage", "productName": "Premium SSD Managed Disks", "skuName": tier, "armSkuName": "",
        "meterName": format!("{tier} Disk"), "unitOfMeasure": "1/Month",
    });
    change(&mut item, &own);
    change(&mut item, &changes);
    item
}

fn change(item: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().expect("an object") {
        item[key] = value.clone();
    }
}

/// All that is listed for a size at 1 dollar an hour: the Linux meter, and everything that is not it.
pub fn meters_of(size: &str, price: f64) -> Vec<Value> {
    let plain = size.trim_start_matches("Standard_").replace('_', " ");
    let named = |suffix: &str| json!({"skuName": format!("{size} {suffix}"), "meterName": format!("{plain} {suffix}")});
    vec![
        machine(size, price * 1.7, json!({"productName": "Virtual Machines Esv5 Series Windows"})),
        machine(size, price * 1.7, json!({"productName": "Esv5 Series Cloud Services"})),
        machine(size, price * 0.2, named("Low Priority")),
        machine(size, price * 0.25, named("Spot")),
        machine(size, price, json!({})),
        machine(size, price * 0.9, json!({"type": "DevTestConsumption"})),
        machine(size, price * 1.1, json!({"effectiveStartDate": "2018-01-01T00:00:00Z"})),
        machine(size, price * 5000.0, json!({"type": "Reservation", "reservationTerm": "1 Year"})),
        machine(size, price * 10_000.0, json!({"type": "Reservation", "reservationTerm": "3 Years"})),
    ]
}
