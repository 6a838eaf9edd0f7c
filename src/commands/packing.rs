//! `shardctl packing`

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::commands::prices::{PriceSources, PricesArgs};
use crate::commands::target::TargetArgs;
use crate::commands::watch::watch;
use crate::context::Context;
use crate::domain::catalogue::{PriceBook, Region};
use crate::domain::packing::{Packing, packing};
use crate::domain::snapshot::Node;
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;
use crate::render::json;
use crate::render::report::packing as render;

/// Show where shards sit, what room is free or stranded, and how few nodes would do
///
/// Room is what the scheduler counts: allocatable less the requests of every pod on a node, daemons
/// included. What shards really use stands beside it where there is a metrics API. Nothing is changed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  shardctl packing statefulset/kafka -n shop
  shardctl packing -f shardset.yaml -o wide
  shardctl packing kafka -o json | jq '.fewestNodes[].answer'")]
pub struct PackingArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: PackingOutput,
    /// Print it again whenever it changes, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Leave out the picture and print the table and the summary only
    #[arg(long)]
    pub no_picture: bool,
}

/// The formats of `shardctl packing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PackingOutput {
    /// A picture, a table that fits the terminal, and what it comes to
    #[default]
    Table,
    /// Every column: requests by kind of pod, usage of shards, prices
    Wide,
    /// The exact facts as one PackingReport
    Json,
    /// The same as YAML
    Yaml,
}

/// Runs `shardctl packing`.
///
/// # Errors
/// When the workload or its pods cannot be read; a node that cannot be read is part of the report.
pub fn run(context: &Context, args: &PackingArgs) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        let target = args.target.resolve(context).await?;
        let scope = Scope { nodes: true, usage: true, ..Scope::default() };
        let prices = PriceSources::read(context, &PricesArgs::default())?.book();
        let price = |node: &Node| price(&prices, node);
        let look = async || Ok(packing(&target.snapshot(scope).await?, price));
        let show = |packing: &Packing| args.show(context, packing);
        let exit = |packing: &Packing| match packing.nodes_unknown {
            // What is left is no packing.
            Some(_) => ExitCode::Failed,
            None => ExitCode::Done,
        };
        if args.watch {
            let facts = |packing: &Packing| {
                let timeless = Packing { taken_at: Timestamp::UNIX_EPOCH, ..packing.clone() };
                json::json(&render::report(&timeless))
            };
            return watch(context, &target, look, show, facts, exit).await;
        }
        let packing = look().await?;
        context.ui.print(&show(&packing));
        Ok(exit(&packing))
    })
}

impl PackingArgs {
    fn show(&self, context: &Context, packing: &Packing) -> String {
        let look = context.ui.look();
        match self.output {
            PackingOutput::Table => render::table(packing, look, !self.no_picture),
            PackingOutput::Wide => render::wide(packing, look),
            PackingOutput::Json => json::json(&render::report(packing)),
            PackingOutput::Yaml => json::yaml(&render::report(packing)),
        }
    }
}

/// Price of a node in USD per hour, where one is known for its region.
fn price(prices: &PriceBook, node: &Node) -> Option<f64> {
    let prices = prices.prices(Region::find(node.region()?).ok()?, node.instance_type()?);
    let price = if node.capacity_type() == Some("spot") { prices.spot } else { prices.on_demand };
    price.map(|price| price.0)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Probe {
        #[command(flatten)]
        args: PackingArgs,
    }

    fn parse(line: &str) -> Result<PackingArgs, clap::Error> {
        Probe::try_parse_from(line.split(' ')).map(|probe| probe.args)
    }

    #[test]
    fn the_command_line_is_read() {
        let args = parse("packing statefulset/kafka -o wide --watch --no-picture").unwrap();
        assert_eq!(args.target.workload.as_deref(), Some("kafka"));
        assert_eq!(args.output, PackingOutput::Wide);
        assert!(args.watch && args.no_picture);
        assert_eq!(parse("packing").unwrap().output, PackingOutput::Table);
        assert_eq!(parse("packing -f set.yaml").unwrap().target.file, Some("set.yaml".into()));
        assert!(parse("packing kafka -f set.yaml").is_err(), "two names for one workload");
    }
}
