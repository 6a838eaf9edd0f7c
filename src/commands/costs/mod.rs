//! `shardctl costs`

mod look;
mod refresh;

use clap::{Args, ValueEnum};
use http::Uri;
use jiff::Timestamp;

use crate::commands::prices::{PriceSources, PricesArgs, find_region};
use crate::commands::target::TargetArgs;
use crate::commands::watch::watch_every;
use crate::context::Context;
use crate::domain::cost::{CostReport, DoubleRun, Lasts};
use crate::error::{CommandError, ExitCode};
use crate::render::json;
use crate::render::report::costs as render;
use crate::retail::AZURE;
use look::{Place, Sight};

/// Show what nodes and disks cost, what of that is paid for nothing, and what it could be
///
/// Of a workload, of a node pool, or of the whole cluster. Prices are Azure's list prices, built in with their date; your own
/// come from a file, and newer ones from Azure's public price service when --refresh asks for them. A price that is not known
/// is shown as -, and never counted as 0. Nothing is changed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  shardctl costs kafka -n shop
  shardctl costs -f shardset.yaml --prices negotiated.csv
  shardctl costs --all --refresh
  shardctl costs --nodepool kafka-stable -o json | jq .totals")]
pub struct CostsArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// All nodes of a node pool, whoever runs on them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["workload", "file", "all"])]
    pub nodepool: Option<String>,
    /// All nodes and disks of the cluster
    #[arg(long, conflicts_with_all = ["workload", "file"])]
    pub all: bool,
    /// Azure region of the prices; left out, that of each node
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    #[command(flatten)]
    pub prices: PricesArgs,
    /// Ask Azure's public price service first, for what is there and what `plan` would compare it with
    #[arg(long)]
    pub refresh: bool,
    /// Ask this mirror of the service instead
    #[arg(long, value_name = "URL", requires = "refresh", value_parser = parse_service, default_value = AZURE, hide_default_value = true)]
    pub refresh_from: Uri,
    /// Print it again whenever it changes, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Leave out the picture and print the tables and the summary only
    #[arg(long)]
    pub no_picture: bool,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: CostsOutput,
}

/// The formats of `shardctl costs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CostsOutput {
    /// A picture of nodes by cost and use, tables that fit the terminal, and what it comes to
    #[default]
    Table,
    /// Every column, and every disk
    Wide,
    /// The exact facts as one CostReport
    Json,
    /// The same as YAML
    Yaml,
}

fn parse_service(text: &str) -> Result<Uri, String> {
    let uri: Uri = text
        .parse()
        .map_err(|_| "write an address, for example https://prices.example.com/api".to_owned())?;
    match (uri.scheme_str(), uri.authority(), uri.query()) {
        (Some("http" | "https"), Some(_), None) => Ok(uri),
        (_, _, Some(_)) => Err("write the address without a question mark and what follows it".to_owned()),
        _ => Err("write http:// or https:// and a host".to_owned()),
    }
}

/// Runs `shardctl costs`.
///
/// # Errors
/// When the workload or its pods cannot be read, a file of prices is wrong, or the price service does not answer.
pub fn run(context: &Context, args: &CostsArgs) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        // What is wrong on the command line is said before anything is sent.
        let region = args.region.as_deref().map(find_region).transpose()?;
        let mut sources = PriceSources::read(context, &args.prices)?;
        let place = Place::of(context, args).await?;
        if args.refresh {
            let sight = place.look(region, &sources.book()).await?;
            refresh::refresh(context, &args.refresh_from, &sight, region, &mut sources).await?;
        }
        let book = sources.book();
        let look = async || {
            let sight: Sight = place.look(region, &book).await?;
            Ok(sight.report(region, &book))
        };
        let show = |report: &CostReport| args.show(context, report);
        let exit = |report: &CostReport| match report.are_nodes_known {
            // Without nodes there is nothing to add up.
            false => ExitCode::Failed,
            true => ExitCode::Done,
        };
        if args.watch {
            return watch_every(
                context,
                look,
                show,
                |report| json::json(&render::report(&timeless(report))),
                exit,
            )
            .await;
        }
        let report = look().await?;
        context.ui.print(&show(&report));
        Ok(exit(&report))
    })
}

/// The report without the passing of time: what a migration costs grows by the second.
fn timeless(report: &CostReport) -> CostReport {
    let is_growing = |run: &DoubleRun| matches!(run.lasts, Lasts::Measured { is_open: true, .. });
    let double_run = report.double_run.clone().filter(|run| !is_growing(run));
    CostReport { taken_at: Timestamp::UNIX_EPOCH, double_run, ..report.clone() }
}

impl CostsArgs {
    fn show(&self, context: &Context, report: &CostReport) -> String {
        let look = context.ui.look();
        match self.output {
            CostsOutput::Table if self.watch && context.ui.is_redrawing() => render::live(report, look),
            CostsOutput::Table => render::table(report, look, !self.no_picture),
            CostsOutput::Wide => render::wide(report, look),
            CostsOutput::Json => json::json(&render::report(report)),
            CostsOutput::Yaml => json::yaml(&render::report(report)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Probe {
        #[command(flatten)]
        args: CostsArgs,
    }

    fn parse(line: &str) -> Result<CostsArgs, clap::Error> {
        Probe::try_parse_from(line.split(' ')).map(|probe| probe.args)
    }

    #[test]
    fn the_command_line_is_read() {
        let args = parse("costs kafka --region eastus --prices own.csv -o wide --watch").unwrap();
        assert_eq!(args.target.workload.as_deref(), Some("kafka"));
        assert_eq!((args.output, args.refresh), (CostsOutput::Wide, false));
        assert_eq!(args.refresh_from.to_string(), AZURE);
        assert!(parse("costs --all").unwrap().all);
        for wrong in [
            "costs kafka --all",
            "costs kafka --nodepool a",
            "costs -f x.yaml --all",
            "costs --nodepool a --all",
            "costs --refresh-from http://localhost",
            "costs --refresh --refresh-from prices.example.com",
            "costs --refresh --refresh-from ftp://prices.example.com",
            "costs --refresh --refresh-from http://a/b?c=d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let args = parse("costs --refresh --refresh-from http://127.0.0.1:8080/api").unwrap();
        assert_eq!(args.refresh_from.to_string(), "http://127.0.0.1:8080/api");
    }
}
