//! `shardctl packing`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Show where shards sit, what room is free or stranded, and how few nodes would do
///
/// Room is what the scheduler counts: allocatable less the requests of every pod on a node, daemons
/// included. What shards really use stands beside it where there is a metrics API. Nothing is changed.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  shardctl packing statefulset/kafka -n shop
  shardctl packing -f shardset.yaml -o wide
  shardctl packing kafka -o json | jq '.fewestNodes[].answer'")]
pub struct PackingArgs {
    /// The StatefulSet: NAME or statefulset/NAME; may be left out when the namespace has one only
    #[arg(value_name = "WORKLOAD", conflicts_with = "file")]
    pub workload: Option<String>,
    /// ShardSet file that names the workload
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
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
        assert_eq!(args.workload.as_deref(), Some("statefulset/kafka"));
        assert_eq!(args.output, PackingOutput::Wide);
        assert!(args.watch && args.no_picture);
        assert_eq!(parse("packing").unwrap().output, PackingOutput::Table);
        assert_eq!(
            parse("packing -f set.yaml").unwrap().file,
            Some("set.yaml".into())
        );
        assert!(
            parse("packing kafka -f set.yaml").is_err(),
            "two names for one workload"
        );
    }
}
