//! The price book of a command: the built-in list, what was fetched before, and the operator's own file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::commands::target::describe;
use crate::context::Context;
use crate::domain::catalogue::price_file::{self, PriceFile};
use crate::domain::catalogue::{Origin, PriceBook, Region, Sheet, regions};
use crate::error::{CommandError, ExitCode};
use crate::retail::Cache;

/// Which prices a command takes beside the built-in ones.
#[derive(Args, Clone, Debug, Default)]
pub struct PricesArgs {
    /// Your own prices, a CSV file: region,name,term,usd,unit
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
}

/// Prices before they are a book: what is fetched replaces only its own part.
#[derive(Debug, Default)]
pub struct PriceSources {
    own: Option<Sheet>,
    pub cache: Option<Cache>,
    pub fetched: Option<Sheet>,
}

impl PriceSources {
    /// Reads the operator's file and the cache. A cache that is of no use is told, and left out.
    ///
    /// # Errors
    /// When the operator's file cannot be read, or is wrong.
    pub fn read(context: &Context, args: &PricesArgs) -> Result<Self, CommandError> {
        let own = args.prices.as_deref().map(|path| own(context, path)).transpose()?;
        let cache = Cache::from_environment();
        let fetched = match cache.as_ref().map(Cache::load) {
            Some(Ok(sheet)) => sheet,
            Some(Err(error)) => {
                let error = CommandError::new(ExitCode::Failed, error);
                warn(
                    context,
                    &format!(
                        "the fetched prices are left out: {error}; --refresh of `costs` writes them anew"
                    ),
                );
                None
            }
            None => None,
        };
        Ok(Self { own, cache, fetched })
    }

    /// The book of all of them.
    #[must_use]
    pub fn book(&self) -> PriceBook {
        PriceBook::new(self.own.clone(), self.fetched.clone())
    }
}

/// Says something that the operator should know and that stops nothing.
pub fn warn(context: &Context, text: &str) {
    context.ui.say(format!("{} {text}", context.ui.err_style().warning("warning:")));
}

fn own(context: &Context, path: &Path) -> Result<Sheet, CommandError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let failed = CommandError::usage(format!("read {shown}: {}", describe(&error)));
        match error.kind() {
            std::io::ErrorKind::InvalidData => {
                failed.hint("save it as UTF-8; `iconv -t UTF-8` converts a file")
            }
            _ => failed.hint("a price file begins with the line region,name,term,usd,unit"),
        }
    })?;
    let file = price_file::parse(&text, &Origin::File(shown.to_string()));
    let PriceFile { sheet, doubts } = file.map_err(|error| {
        let suggestion = error.suggestion.clone();
        CommandError::usage(format!("{shown}: {error}")).hint(suggestion)
    })?;
    for doubt in doubts {
        warn(context, &format!("{shown}: {doubt}"));
    }
    Ok(sheet)
}

/// A region by the name that somebody wrote.
///
/// # Errors
/// When Azure has none of this name.
pub fn find_region(name: &str) -> Result<Region, CommandError> {
    Region::find(name).map_err(|error| {
        let near = error.nearest;
        let error = CommandError::usage(error);
        match near {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("prices are known of {}", regions().join(", "))),
        }
    })
}
