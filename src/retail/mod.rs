//! Azure's public price service, and what was fetched from it: the only network that shardctl uses beside the Kubernetes API,
//! and only when asked.

mod cache;
mod http;

use std::collections::BTreeSet;
use std::time::Duration;

use ::http::Uri;
use jiff::Timestamp;

use crate::domain::catalogue::Sheet;
use crate::domain::catalogue::retail::{Answer, Item, Page, Problem, Wanted, choose};
use crate::error::CommandError;
pub use cache::Cache;
use http::{FetchError, Http};

/// Where Azure answers.
pub const AZURE: &str = "https://prices.azure.com/api/retail/prices";

/// One question has a page or two; a service that says otherwise is no price service.
const MOST_PAGES: usize = 100;

/// The prices that the service has for what is wanted, and what it has none for. `say` gets a line before each wait.
///
/// # Errors
/// When the service cannot be reached, or answers what is no price list.
pub async fn fetch(
    service: &Uri,
    wanted: &[Wanted],
    now: Timestamp,
    timeout: Duration,
    say: &dyn Fn(&str),
) -> Result<(Sheet, Vec<Problem>), CommandError> {
    let http = Http::new(service, timeout)?;
    let (mut sheet, mut problems) = (Sheet::default(), Vec::new());
    for wanted in wanted {
        let mut items = Vec::new();
        for filter in wanted.filters() {
            items.extend(ask(&http, &filter, say).await.map_err(|error| error.explained(service))?);
        }
        let Answer { sheet: more, problems: also } = choose(&items, wanted, now);
        sheet.update(&more);
        problems.extend(also);
    }
    Ok((sheet, problems))
}

/// All pages of one question.
async fn ask(http: &Http, filter: &str, say: &dyn Fn(&str)) -> Result<Vec<Item>, FetchError> {
    let mut query = http::filter(filter);
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    loop {
        let number = seen.len() + 1;
        let body = http.get(&query, say).await?;
        let page: Page = serde_json::from_slice(&body)
            .map_err(|error| FetchError::BrokenPage { number, problem: error.to_string() })?;
        items.extend(page.items);
        seen.insert(query);
        let Some(next) = page.next_page_link.filter(|link| !link.is_empty()) else { return Ok(items) };
        // Of the link only the question counts: whoever named a mirror goes on asking the mirror.
        let link: Result<Uri, _> = next.parse();
        query = match link.as_ref().map(Uri::query) {
            Ok(Some(query)) => query.to_owned(),
            _ => {
                let problem = format!("`{next}` leads nowhere");
                return Err(FetchError::BrokenPage { number, problem });
            }
        };
        if seen.contains(&query) {
            return Err(FetchError::Loop { number });
        }
        if number >= MOST_PAGES {
            return Err(FetchError::Endless);
        }
    }
}
