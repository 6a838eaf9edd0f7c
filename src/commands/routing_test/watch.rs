//! `shardctl routing-test --watch`

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{AskFrom, RoutingOutput, RoutingTestArgs, question};
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::routing::availability::Availability;
use crate::error::{CommandError, ExitCode};
use crate::k8s::Heard;
use crate::options::parse_duration;
use crate::render::report::routing::watch::{self as render, Told, Watched};

/// At a terminal what is shown is drawn anew so often.
const REDRAW: Duration = Duration::from_millis(500);

/// How `shardctl routing-test` watches.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Let the shards ask each other all the time, until interrupted, and tell the availability as they saw it
    #[arg(long)]
    pub watch: bool,
    /// Every shard asks every other about once in so long; less often where that is more than --qps
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_interval, requires = "watch")]
    pub interval: Duration,
    /// Watch for so long, instead of until interrupted
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_lasting, requires = "watch")]
    pub lasting: Option<Duration>,
    /// End with 5 when the service was available for less of the time, in percent
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 100.0,
        value_parser = parse_percent,
        requires = "watch"
    )]
    pub min_availability: f64,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    match (Duration::from_millis(100)..=Duration::from_mins(1)).contains(&duration) {
        true => Ok(duration),
        false => Err("from 100ms to 1m".to_owned()),
    }
}

fn parse_lasting(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    // In less no session begins.
    if duration >= Duration::from_secs(1) { Ok(duration) } else { Err("at least 1s".to_owned()) }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent: Option<f64> = text.trim_end_matches('%').parse().ok();
    percent.filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| "from 0 to 100".to_owned())
}

/// Refuses what does not go with `--watch`.
pub(super) fn check(args: &RoutingTestArgs) -> Result<(), CommandError> {
    if !matches!(args.output, RoutingOutput::Table | RoutingOutput::Json) {
        return Err(CommandError::usage("--watch is shown as table or json").hint("-o json"));
    }
    if args.from != AskFrom::Shards {
        return Err(CommandError::usage("with --watch the shards ask; --from is for a single look")
            .hint("leave out --from"));
    }
    Ok(())
}

/// Lets the shards ask each other until it is over, tells of every change, and sums up.
pub(super) async fn watch(
    context: &Context,
    target: &Target,
    args: &RoutingTestArgs,
) -> Result<ExitCode, CommandError> {
    let is_json = args.output == RoutingOutput::Json;
    let (snapshot, question) = question(target, args).await?;
    let workload = snapshot.workload.reference.clone();
    let options = &args.watching;
    let mut watched = Watched {
        availability: Availability::new(snapshot.workload.replicas, context.now()),
        workload,
        since: context.now(),
        headless: snapshot.workload.service_name.clone(),
        port: question.port,
        path: question.path.clone(),
        interval: options.interval,
        silent: BTreeMap::new(),
    };
    let ui = &context.ui;
    let is_redrawing = ui.is_redrawing() && !is_json;
    let tell = |watched: &Watched, told: &Told| {
        if is_json {
            ui.print(&render::event(watched, told));
        } else if let Some(line) = render::line(watched, told, ui.look()).filter(|_| !is_redrawing) {
            ui.print(&line);
        }
    };
    if !is_json && !is_redrawing {
        ui.print(&render::beginning(&watched));
    }
    let (sender, mut heard) = mpsc::unbounded_channel();
    let mut listening = std::pin::pin!(target.cluster.listen(&snapshot, &question, options.interval, sender));
    let mut stop = std::pin::pin!(until_stopped(options.lasting));
    let mut redraw = tokio::time::interval(REDRAW);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            result = &mut listening => result?,
            _ = redraw.tick(), if is_redrawing => {
                ui.print_again(&render::view(&watched, context.now(), ui.look(), ui.height()));
            }
            Some(news) = heard.recv() => {
                for told in take(&mut watched.availability, news, context.now()) {
                    watched.remember(&told);
                    tell(&watched, &told);
                }
            }
        }
        if ui.is_closed() {
            break;
        }
    }
    let now = context.now();
    let figures = watched.availability.service_figures(now);
    if is_json {
        ui.print(&render::summary_json(&watched, now));
    } else if is_redrawing {
        ui.print_again(&render::summary(&watched, now, ui.look()));
    } else {
        ui.print(&render::summary(&watched, now, ui.look()));
    }
    let Some(availability) = figures.availability else {
        return Err(CommandError::failed(format!("nobody could ask the shards of {}", watched.workload))
            .hint("`shardctl routing-test` says why; or watch for longer"));
    };
    Ok(if availability * 100.0 < options.min_availability { ExitCode::Findings } else { ExitCode::Done })
}

/// Returns when the time is over, or the operator wants to stop.
async fn until_stopped(lasting: Option<Duration>) {
    let over = async {
        match lasting {
            Some(lasting) => tokio::time::sleep(lasting).await,
            None => std::future::pending().await,
        }
    };
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Takes in what was heard, and returns what is worth to be told.
fn take(availability: &mut Availability, news: Heard, now: jiff::Timestamp) -> Vec<Told> {
    match news {
        Heard::Asks { observer, with } => {
            availability.asks(observer, now);
            vec![Told::Asks { at: now, observer, with }]
        }
        Heard::Answer { observer, shard, asked_at, mark } => {
            let change = availability.answered(observer, shard, asked_at, mark);
            change.map(|change| Told::Change { at: now, change }).into_iter().collect()
        }
        Heard::Leaves { observer, why } => {
            let is_news = availability.observers().contains(&observer);
            let changes = availability.leaves(observer, now);
            let changes = changes.into_iter().map(|change| Told::Change { at: now, change });
            is_news.then_some(Told::Leaves { at: now, observer, why }).into_iter().chain(changes).collect()
        }
        Heard::Mute { shard, why } => vec![Told::Mute { at: now, shard, why }],
    }
}
