//! `shardctl lab node`: what can happen to the nodes of a real lab.

use std::fs::File;
use std::process::Stdio;

use clap::{Args, Subcommand};
use rustix::process::geteuid;

use super::RealLab;
use super::faults::{Fault, cut, mend};
use super::node::{Daemon, Node};
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::lab::NameArg;
use crate::lab::layout::{LabName, Layout};
use crate::lab::lock::lock;
use crate::render::ui::Ui;

/// Stop, start and disconnect the nodes of a lab of the real tier
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    Stop(PowerArgs),
    Start(StartArgs),
    Cut(CutArgs),
    Mend(MendArgs),
    Exec(ExecArgs),
}

/// Cut a node's power, or kill one of its daemons
///
/// Everything on the node ends at once and without a word to anybody. Its disk stays.
#[derive(Args, Debug)]
pub struct PowerArgs {
    /// The node
    node: String,
    /// Kill this daemon only; its containers run on and its rules hold
    #[arg(long, value_name = "DAEMON")]
    only: Option<Daemon>,
    #[command(flatten)]
    lab: NameArg,
}

/// Start a node that was stopped, or what was stopped on it
#[derive(Args, Debug)]
pub struct StartArgs {
    /// The node
    node: String,
    #[command(flatten)]
    lab: NameArg,
}

/// Disconnect a node from everybody, from another node, or from DNS
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardctl lab node cut node-1               pull its cable
  shardctl lab node cut node-1 node-2        drop what goes between these two
  shardctl lab node cut node-1 --dns         its pods get no answer from DNS
  shardctl lab node cut node-1 --port 8080   nothing reaches this port of its pods")]
pub struct CutArgs {
    /// The node
    node: String,
    /// Only from this other node, with the pods of both
    #[arg(value_name = "OTHER", conflicts_with_all = ["dns", "port"])]
    other: Option<String>,
    /// Only its pods, and only from DNS
    #[arg(long, conflicts_with = "port")]
    dns: bool,
    /// Only this TCP port of its pods
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    lab: NameArg,
}

/// Connect a node again, or all nodes
#[derive(Args, Debug)]
pub struct MendArgs {
    /// The node; all of them when none is named
    node: Option<String>,
    #[command(flatten)]
    lab: NameArg,
}

/// Run a command on a node, as root
///
/// crictl is not there; `ctr -n k8s.io` is, and so are `ip` and `iptables`.
#[derive(Args, Debug)]
pub struct ExecArgs {
    /// The node
    node: String,
    #[command(flatten)]
    lab: NameArg,
    /// The command
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// A node that has a network to break.
fn running<'a>(lab: &'a RealLab, name: &str) -> Result<Node<'a>, CommandError> {
    let node = lab.node(name)?;
    match node.init() {
        Some(_) => Ok(node),
        None => Err(CommandError::failed(format!("{node} does not run"))
            .hint(format!("start it: shardctl lab node start {node}"))),
    }
}

/// The lab, and the lock that holds off others who change it: two who start or connect a node at once would make the same
/// things.
fn alone(ui: &Ui, layout: &Layout, name: &LabName) -> Result<(RealLab, File), CommandError> {
    // There is nothing to be locked where there is no lab.
    RealLab::open(layout, name)?;
    let lock = lock(ui, layout, name)?;
    Ok((RealLab::open(layout, name)?, lock))
}

/// Runs `shardctl lab node`.
///
/// # Errors
/// What the subcommand returns.
pub fn run(context: &Context, layout: &Layout, command: NodeCommand) -> Result<ExitCode, CommandError> {
    let ui = &context.ui;
    if !geteuid().is_root() {
        return Err(CommandError::refused("only root can do something to a real node").hint("run it as root"));
    }
    match command {
        NodeCommand::Stop(args) => {
            let (lab, _lock) = alone(ui, layout, &args.lab.name)?;
            let node = lab.node(&args.node)?;
            match args.only {
                Some(daemon) => {
                    node.stop_daemon(daemon)?;
                    ui.say(format_args!("{} of {node} is stopped", daemon.name()));
                }
                None => {
                    node.stop()?;
                    ui.say(format_args!("{node} is without power"));
                }
            }
        }
        NodeCommand::Start(args) => {
            let (lab, _lock) = alone(ui, layout, &args.lab.name)?;
            let node = lab.node(&args.node)?;
            node.start_stopped()?;
            ui.say(format_args!("{node} is starting"));
        }
        NodeCommand::Cut(args) => {
            let (lab, _lock) = alone(ui, layout, &args.lab.name)?;
            let node = running(&lab, &args.node)?;
            let place = node.place();
            let (fault, from) = match (&args.other, args.port) {
                (Some(other), _) => {
                    let other = running(&lab, other)?;
                    if other.place() == place {
                        return Err(CommandError::usage(format!("{node} is always connected to itself")));
                    }
                    (Fault::Between(place, other.place()), other.name())
                }
                (None, Some(port)) => {
                    (Fault::Port(place, port), format!("whoever calls its pods at port {port}"))
                }
                (None, None) if args.dns => (Fault::NoDns(place), "DNS".to_owned()),
                (None, None) => (Fault::Unplugged(place), "everybody".to_owned()),
            };
            cut(fault)?;
            ui.say(format_args!("{node} is cut off from {from}"));
        }
        NodeCommand::Mend(args) => {
            let (lab, _lock) = alone(ui, layout, &args.lab.name)?;
            let nodes = match &args.node {
                Some(name) => vec![running(&lab, name)?],
                None => lab.nodes().filter(|node| node.init().is_some()).collect(),
            };
            for node in nodes {
                mend(node.place())?;
                ui.say(format_args!("{node} is connected"));
            }
        }
        NodeCommand::Exec(args) => {
            let lab = RealLab::open(layout, &args.lab.name)?;
            let node = lab.node(&args.node)?;
            let words: Vec<_> = args.command.iter().map(String::as_str).collect();
            let status = node.inside(&words)?.stdin(Stdio::inherit()).status()?;
            if !status.success() {
                return Err(CommandError::failed(format!("{} on {node}: {status}", words[0])));
            }
        }
    }
    Ok(ExitCode::Done)
}
