//! `shardctl lab`: a real control plane on this machine.
//!
//! The API server, etcd, the controllers, the scheduler, Karpenter, metrics-server and the VPA recommender are the real
//! programs, built from pinned sources. Machines and containers are simulated: kwok plays the kubelets, Karpenter's KWOK
//! provider the cloud, and one shard server the containers. `docs/lab.md` tells the whole story.

mod addons;
mod build;
mod components;
mod down;
mod kwokctl;
pub mod layout;
mod lock;
mod objects;
mod ports;
mod process;
pub mod real;
pub mod record;
mod sizes;
mod starting;
mod status;
mod up;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::layout::{LabFolder, LabName, Layout};
use self::real::place::MOST_NODES;
use self::record::Tier;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::options::parse_duration;

/// Run a real Kubernetes control plane with Karpenter on this machine
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    Up(UpArgs),
    Down(DownArgs),
    Status(StatusArgs),
    Env(NameArgs),
    Kubeconfig(KubeconfigArgs),
    #[command(subcommand)]
    Node(real::cli::NodeCommand),
    Build(BuildArgs),
}

/// Start a lab, or start again what has stopped in it
///
/// Prints the line that points kubectl and shardctl to it. The kubeconfig of the user is neither read nor written.
#[derive(Args, Debug)]
pub struct UpArgs {
    #[command(flatten)]
    lab: NameArg,
    /// What its nodes are [default: kwok]
    #[arg(long, value_enum)]
    tier: Option<Tier>,
    /// How many real nodes it has [default: 3]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_NODES)))]
    nodes: Option<u8>,
    /// Time that a machine takes to appear, in whole seconds [default: 12s]
    #[arg(long, value_name = "DURATION", value_parser = parse_whole_seconds)]
    node_launch: Option<Duration>,
    /// Time that a pod takes to become ready [default: 2500ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pod_start: Option<Duration>,
    /// Instance types in the JSON form of Karpenter's KWOK provider, instead of Azure's
    #[arg(long, value_name = "FILE")]
    sizes: Option<PathBuf>,
}

/// Stop a lab and remove everything that belongs to it
#[derive(Args, Debug)]
pub struct DownArgs {
    #[command(flatten)]
    lab: NameArg,
    /// Stop and remove every lab on this machine
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

/// List the labs on this machine and the state of their components
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Only the lab of this name
    #[arg(long, value_name = "NAME")]
    name: Option<LabName>,
    /// Form of the answer
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = status::Format::Table)]
    output: status::Format,
}

/// Print the shell line that points kubectl and shardctl to a lab
#[derive(Args, Debug)]
#[command(after_help = "Use it as: eval \"$(shardctl lab env)\"")]
pub struct NameArgs {
    #[command(flatten)]
    lab: NameArg,
}

/// Print the kubeconfig of a lab
#[derive(Args, Debug)]
pub struct KubeconfigArgs {
    #[command(flatten)]
    lab: NameArg,
}

/// Build the lab's components from their pinned sources, once per version
///
/// Needs Go and, the first time, the network. `lab up` does this by itself when it has to.
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// For labs with these nodes
    #[arg(long, value_enum, default_value_t)]
    tier: Tier,
}

/// Which lab.
#[derive(Args, Debug)]
struct NameArg {
    /// Name of the lab
    #[arg(long, value_name = "NAME", default_value = "lab")]
    name: LabName,
}

/// Runs `shardctl lab`.
///
/// # Errors
/// What the subcommand returns.
pub fn run(context: &Context, command: LabCommand) -> Result<ExitCode, CommandError> {
    let layout = Layout::from_environment()?;
    match command {
        LabCommand::Up(args) => context.block_on(up::up(context, &layout, &args)),
        LabCommand::Down(args) if args.all => {
            for name in layout.names() {
                down::down(&context.ui, &layout, &name)?;
            }
            Ok(ExitCode::Done)
        }
        LabCommand::Down(args) => {
            down::down(&context.ui, &layout, &args.lab.name)?;
            Ok(ExitCode::Done)
        }
        LabCommand::Status(args) => status::status(context, &layout, &args),
        LabCommand::Env(args) => {
            let lab = existing(&layout, &args.lab.name)?;
            context.ui.print(&env_lines(&lab));
            Ok(ExitCode::Done)
        }
        LabCommand::Kubeconfig(args) => {
            let path = existing(&layout, &args.lab.name)?.kubeconfig();
            let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            context.ui.print(&text);
            Ok(ExitCode::Done)
        }
        LabCommand::Node(command) => real::cli::run(context, &layout, command),
        LabCommand::Build(args) => {
            if build::is_complete(&layout.build(), args.tier) {
                context.ui.say("the lab's components are built already");
            } else {
                build::build(&context.ui, &layout, args.tier)?;
            }
            Ok(ExitCode::Done)
        }
    }
}

/// The folder of a lab that was started.
fn existing(layout: &Layout, name: &LabName) -> Result<LabFolder, CommandError> {
    let lab = layout.lab(name);
    if lab.kubeconfig().is_file() {
        Ok(lab)
    } else {
        Err(CommandError::failed(format!("there is no lab {name}"))
            .hint(format!("start it: {}", up_command(name))))
    }
}

/// The command that starts a lab, as one would type it.
fn up_command(name: &LabName) -> String {
    match name.as_str() {
        "lab" => "shardctl lab up".to_owned(),
        name => format!("shardctl lab up --name {name}"),
    }
}

/// What a shell evaluates to use a lab.
fn env_lines(lab: &LabFolder) -> String {
    let name = match lab.name().as_str() {
        "lab" => String::new(),
        name => format!(" --name {name}"),
    };
    format!(
        "export KUBECONFIG={}\n# Run this to use the lab: eval \"$(shardctl lab env{name})\"\n",
        shell_word(&lab.kubeconfig().display().to_string())
    )
}

/// Quotes a word for a POSIX shell when it needs that.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn parse_whole_seconds(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration.subsec_nanos() == 0 {
        Ok(duration)
    } else {
        Err("a node class takes whole seconds only, write for example 12s".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_blanks_and_quotes_survive_a_shell() {
        assert_eq!(shell_word("/home/me/lab-1/kubeconfig"), "/home/me/lab-1/kubeconfig");
        assert_eq!(shell_word("/home/my files/k"), "'/home/my files/k'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }

    #[test]
    fn machines_take_whole_seconds() {
        assert_eq!(parse_whole_seconds("12s"), Ok(Duration::from_secs(12)));
        assert_eq!(parse_whole_seconds("0"), Ok(Duration::ZERO));
        assert!(parse_whole_seconds("1500ms").is_err());
    }
}
