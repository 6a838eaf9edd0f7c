//! `shardctl lab up`.
//!
//! 1. Build what is missing.
//! 2. Choose ports, write what kwokctl and Karpenter are told, and let kwokctl start the control plane.
//! 3. As soon as the API server answers, while kwokctl still works: define Karpenter's, kwok's and the VPA's kinds, and
//!    start metrics-server, which needs none of them.
//! 4. Start the rest of the add-ons once these kinds are offered: Karpenter exits without them, or limps without some.
//! 5. Wait until every component lives and listens.
//!
//! A lab with real nodes starts these instead of add-ons, with all of the control plane in a network of its own: see
//! `real/up.rs`.
//!
//! A lab that is up is left alone, save for components that have stopped: those are started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use super::addons::{Addon, addons_of, core, find_shard_server, starter};
use super::components::{kubernetes_version, version_of};
use super::layout::{BuildFolder, LabFolder, LabName, Layout};
use super::objects::Object;
use super::ports::Ports;
use super::process::{Part, Process};
use super::real::place::Place;
use super::real::requirements::Missing;
use super::real::{self, RealLab};
use super::record::{Options, Record, Tier};
use super::{UpArgs, build, down, env_lines, kwokctl, objects, sizes};
use crate::context::Context;
use crate::domain::catalogue;
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Cluster, ConnectOptions};

/// How long a machine takes to appear: of the order of what Azure needs at its best, and short enough to wait for.
const NODE_LAUNCH: Duration = Duration::from_secs(12);
/// How long a pod takes to become ready.
const POD_START: Duration = Duration::from_millis(2500);
/// A lab that is not up by then never will be: warm it takes seconds, on a busy machine a minute.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long one answer of the API server may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
pub const POLL: Duration = Duration::from_millis(25);

/// Runs `shardctl lab up`.
pub async fn up(context: &Context, layout: &Layout, args: &UpArgs) -> Result<ExitCode, CommandError> {
    let name = &args.lab.name;
    let ui = &context.ui;
    let lab = layout.lab(name);
    let record = Record::read(&lab).filter(|record| record.complete);
    let tier = record.map_or(args.tier.unwrap_or_default(), |record| record.options.tier);
    check_arguments(args, tier)?;
    if tier == Tier::Real {
        let missing = Missing::on_this_machine(layout);
        if !missing.is_empty() {
            return Err(missing.refusal());
        }
    }
    let _lock = lock(context, layout, name)?;
    match Record::read(&lab) {
        Some(record) if record.complete && has_network(&lab, &record) => {
            resume(context, layout, &lab, args, record).await?;
        }
        record => {
            if record.is_some_and(|record| record.complete) {
                ui.say(format_args!(
                    "lab {name} has lost its network, as when the machine restarts: it starts anew"
                ));
            }
            if lab.root().exists() || Place::of(lab.root()).is_some() {
                // An earlier start was interrupted.
                down::remove(layout, &lab)?;
            }
            match tier {
                Tier::Kwok => {
                    let build = build::build(ui, layout, tier)?;
                    create(context, layout, &lab, &build, args).await?;
                }
                Tier::Real => {
                    // Asked for before minutes are spent on a build.
                    let shard_server = shard_server_of_nodes(layout)?;
                    let build = build::build(ui, layout, tier)?;
                    create_real(context, &lab, &build, args, shard_server).await?;
                }
            }
        }
    }
    ui.print(&env_lines(&lab));
    Ok(ExitCode::Done)
}

/// Whether the network that a lab was started with is still there. Networks go when the machine restarts.
fn has_network(lab: &LabFolder, record: &Record) -> bool {
    record.options.tier == Tier::Kwok || Place::of(lab.root()).is_some_and(real::has_network)
}

/// Refuses what means nothing in this tier.
fn check_arguments(args: &UpArgs, tier: Tier) -> Result<(), CommandError> {
    let refuse = |flag: &str, other: &str| {
        Err(CommandError::usage(format!("{flag} is for labs whose nodes are {other}")))
    };
    match tier {
        Tier::Kwok if args.nodes.is_some() => refuse("--nodes", "real: --tier real"),
        Tier::Real if args.node_launch.is_some() => refuse("--node-launch", "simulated: --tier kwok"),
        Tier::Real if args.pod_start.is_some() => refuse("--pod-start", "simulated: --tier kwok"),
        Tier::Real if args.sizes.is_some() => refuse("--sizes", "simulated: --tier kwok"),
        _ => Ok(()),
    }
}

/// The program that the containers of a real lab run.
fn shard_server_of_nodes(layout: &Layout) -> Result<PathBuf, CommandError> {
    find_shard_server(layout).ok_or_else(|| {
        CommandError::refused("a real lab runs the shard server in its containers, and none was found")
            .hint("build it: `make lab` or `cargo build --example shard-server`")
    })
}

/// Holds off other commands that start or stop this lab.
pub fn lock(context: &Context, layout: &Layout, name: &LabName) -> Result<File, CommandError> {
    let path = layout.lock(name);
    fs::create_dir_all(layout.labs()).with_context(|| format!("create {}", layout.labs().display()))?;
    let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
    if file.try_lock().is_err() {
        context.ui.say(format_args!("waiting for another command that works on lab {name}"));
        file.lock().with_context(|| format!("lock {}", path.display()))?;
    }
    Ok(file)
}

async fn create(
    context: &Context,
    layout: &Layout,
    lab: &LabFolder,
    build: &BuildFolder,
    args: &UpArgs,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    let start = Instant::now();
    let shard_server = find_shard_server(layout);
    ui.say(format_args!(
        "starting lab {} with Kubernetes {} and Karpenter {}",
        lab.name(),
        kubernetes_version(),
        version_of("sigs.k8s.io/karpenter").unwrap_or_default()
    ));
    if shard_server.is_none() {
        ui.say("no shard server was found, so pods have no HTTP interface: `make lab` or `cargo build --example shard-server` builds it");
    }
    let mut record = Record {
        created: context.now(),
        build: super::components::key(),
        options: options(args)?,
        ports: Ports::find(std::process::id())?,
        shard_server,
        complete: false,
    };
    fs::create_dir_all(lab.root()).with_context(|| format!("create {}", lab.root().display()))?;
    record.write(lab)?;
    write_sizes(lab, record.options.sizes.as_deref())?;
    let configuration = kwokctl::configuration(lab, build, &record.ports, record.options.pod_start());
    write(&lab.kwokctl_configuration(), &configuration)?;

    let mut starting = Starting::new(lab, build, &record);
    let command = kwokctl::create(lab, build, &lab.kubeconfig());
    starting.run(command, &record).await?;
    record.complete = true;
    record.write(lab)?;
    ui.say(format_args!("lab {} is up after {:.1}s", lab.name(), start.elapsed().as_secs_f64()));
    Ok(())
}

async fn create_real(
    context: &Context,
    lab: &LabFolder,
    build: &BuildFolder,
    args: &UpArgs,
    shard_server: PathBuf,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    let start = Instant::now();
    let options = options(args)?;
    let nodes = options.nodes.unwrap_or(real::NODES);
    ui.say(format_args!(
        "starting lab {} with Kubernetes {} on {nodes} real {}",
        lab.name(),
        kubernetes_version(),
        if nodes == 1 { "node" } else { "nodes" },
    ));
    // Before anything is made, so that `lab down` finds it.
    let place = Place::take(lab.root())?;
    let mut record = Record {
        created: context.now(),
        build: super::components::key(),
        options,
        ports: Ports::in_own_network(),
        shard_server: Some(shard_server.clone()),
        complete: false,
    };
    fs::create_dir_all(lab.root()).with_context(|| format!("create {}", lab.root().display()))?;
    record.write(lab)?;
    RealLab::new(lab, build, place, nodes).prepare(&record.ports, &shard_server)?;
    let mut starting = Starting::new(lab, build, &record);
    let command = real::in_network(&place.id(), &kwokctl::create(lab, build, &lab.inner_kubeconfig()));
    starting.run(command, &record).await?;
    record.complete = true;
    record.write(lab)?;
    ui.say(format_args!("lab {} is up after {:.1}s", lab.name(), start.elapsed().as_secs_f64()));
    Ok(())
}

async fn resume(
    context: &Context,
    layout: &Layout,
    lab: &LabFolder,
    args: &UpArgs,
    record: Record,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    refuse_other_options(lab, args, &record)?;
    let build = layout.build_of(&record.build);
    let mut starting = Starting::new(lab, &build, &record);
    let real = RealLab::find(layout, lab);
    let parts = down::parts(layout, lab);
    let stopped: Vec<_> =
        parts.iter().filter(|part| part.pid.is_none()).map(|part| part.name.as_str()).collect();
    if stopped.is_empty() {
        ui.say(format_args!("lab {} is up already", lab.name()));
        return Ok(());
    }
    ui.say(format_args!("starting again in lab {}: {}", lab.name(), stopped.join(", ")));
    for process in starting.processes().filter(|process| process.pid().is_none()) {
        // kwokctl would take any process with this pid for it.
        process.forget();
    }
    let mut command = kwokctl::start(lab, &build);
    if let Some(real) = real {
        command = real::in_network(&real.place().id(), &command);
    }
    starting.run(command, &record).await?;
    ui.say(format_args!("lab {} is up", lab.name()));
    Ok(())
}

/// A lab keeps the options that it was started with.
fn refuse_other_options(lab: &LabFolder, args: &UpArgs, record: &Record) -> Result<(), CommandError> {
    let asked = options(args)?;
    let is = &record.options;
    let mut differences = Vec::new();
    if args.tier.is_some() && asked.tier != is.tier {
        let tier = match is.tier {
            Tier::Kwok => "kwok",
            Tier::Real => "real",
        };
        differences.push(format!("--tier {tier}"));
    }
    if args.nodes.is_some() && asked.nodes != is.nodes {
        differences.push(format!("--nodes {}", is.nodes.unwrap_or_default()));
    }
    if args.node_launch.is_some() && asked.node_launch_seconds != is.node_launch_seconds {
        differences.push(format!("--node-launch {}s", is.node_launch_seconds));
    }
    if args.pod_start.is_some() && asked.pod_start_milliseconds != is.pod_start_milliseconds {
        differences.push(format!("--pod-start {}ms", is.pod_start_milliseconds));
    }
    if args.sizes.is_some() && asked.sizes != is.sizes {
        differences.push(match &is.sizes {
            Some(file) => format!("--sizes {}", file.display()),
            None => "the sizes of Azure".to_owned(),
        });
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(
        CommandError::refused(format!("lab {} is up with {}", lab.name(), differences.join(" and "))).hint(format!(
            "remove it first: shardctl lab down --name {0}, or start another: shardctl lab up --name {0}-2 ...",
            lab.name()
        )),
    )
}

fn options(args: &UpArgs) -> Result<Options, CommandError> {
    let sizes = match &args.sizes {
        Some(file) => Some(
            file.canonicalize()
                .map_err(|error| CommandError::usage(format!("cannot read {}: {error}", file.display())))?,
        ),
        None => None,
    };
    if args.tier == Some(Tier::Real) {
        let nodes = Some(args.nodes.unwrap_or(real::NODES));
        return Ok(Options {
            tier: Tier::Real,
            nodes,
            node_launch_seconds: 0,
            pod_start_milliseconds: 0,
            sizes,
        });
    }
    Ok(Options {
        tier: Tier::Kwok,
        nodes: args.nodes,
        node_launch_seconds: args.node_launch.unwrap_or(NODE_LAUNCH).as_secs(),
        pod_start_milliseconds: u64::try_from(args.pod_start.unwrap_or(POD_START).as_millis())
            .map_err(CommandError::usage)?,
        sizes,
    })
}

fn write_sizes(lab: &LabFolder, file: Option<&Path>) -> Result<(), CommandError> {
    let text = match file {
        None => sizes::instance_types(catalogue::sizes()).context("encode the sizes")?,
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
            // Karpenter would start all the same, and then find no machine for any pod.
            serde_json::from_str::<Vec<serde_json::Value>>(&text).map_err(|error| {
                CommandError::usage(format!("{} is no JSON list: {error}", file.display())).hint(
                    "its form is that of Karpenter's KWOK provider: kwok/examples/instance_types.json there",
                )
            })?;
            text
        }
    };
    write(&lab.sizes(), &text)
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    Ok(fs::write(path, text).with_context(|| format!("write {}", path.display()))?)
}

/// A lab that is being started.
pub struct Starting<'a> {
    lab: &'a LabFolder,
    build: &'a BuildFolder,
    core: Vec<Process>,
    addons: Vec<Addon>,
    /// Children are kept so that the system does not keep them as zombies when they die.
    children: Vec<Child>,
    deadline: Instant,
}

impl<'a> Starting<'a> {
    fn new(lab: &'a LabFolder, build: &'a BuildFolder, record: &Record) -> Self {
        Self {
            lab,
            build,
            core: core(lab, build, record.options.tier),
            addons: addons_of(lab, build, record),
            children: Vec::new(),
            deadline: Instant::now() + PATIENCE,
        }
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.core.iter().chain(self.addons.iter().map(|addon| &addon.process))
    }

    /// Starts everything that does not run, and returns once all of it is ready.
    async fn run(&mut self, mut command: Command, record: &Record) -> Result<(), CommandError> {
        let mut kwokctl = starter(self.lab, self.build).start(&mut command).context("start kwokctl")?;
        let result = self.furnish(&mut kwokctl, record).await;
        if result.is_err() {
            // Left alone, it would go on, and get in the way of the next start.
            let _ = kwokctl.kill();
        }
        let _ = kwokctl.wait();
        starter(self.lab, self.build).forget();
        result
    }

    /// Does what is to be done while kwokctl works and after it.
    async fn furnish(&mut self, kwokctl: &mut Child, record: &Record) -> Result<(), CommandError> {
        let client = self.api_server(kwokctl).await?;
        if record.options.tier == Tier::Real {
            return self.furnish_real(kwokctl, record, &client).await;
        }
        self.start_addons(|addon| addon.process.name == "metrics-server")?;
        let definitions = objects::definitions(self.build)?;
        let metrics = objects::metrics(self.build)?;
        let furniture = objects::furniture(&record.ports, record.options.node_launch())?;
        let applied = async {
            objects::apply(&client, &definitions, self.deadline).await?;
            objects::apply(&client, &furniture, self.deadline).await
        };
        applied.await.context("furnish the lab").map_err(|error| self.hint(error.into()))?;
        objects::wait_until_served(&client, &definitions, self.deadline)
            .await
            .map_err(|error| self.hint(error))?;
        self.start_addons(|_| true)?;
        // kwok's own kinds come from kwokctl, at the end of its work.
        objects::apply(&client, &metrics, self.deadline)
            .await
            .context("furnish the lab")
            .map_err(|error| self.hint(error.into()))?;
        self.wait_for_kwokctl(kwokctl).await?;
        self.settle(&client).await
    }

    async fn furnish_real(
        &mut self,
        kwokctl: &mut Child,
        record: &Record,
        client: &Cluster,
    ) -> Result<(), CommandError> {
        let place = Place::of(self.lab.root()).context("the lab has lost its place on this machine")?;
        let nodes = record.options.nodes.unwrap_or(real::NODES);
        let lab = RealLab::new(self.lab, self.build, place, nodes);
        real::furnish(self, client, &lab).await?;
        self.wait_for_kwokctl(kwokctl).await?;
        self.settle(client).await
    }

    /// Applies objects that the lab is furnished with.
    ///
    /// # Errors
    /// What the server said last.
    pub async fn apply(&self, client: &Cluster, objects: &[Object]) -> Result<(), CommandError> {
        let applied = objects::apply(client, objects, self.deadline).await;
        applied.context("furnish the lab").map_err(|error| self.hint(error.into()))
    }

    /// Waits until the API server answers. It is not ready then, but takes objects.
    async fn api_server(&self, kwokctl: &mut Child) -> Result<Cluster, CommandError> {
        let mut problem = "kwokctl did not write a kubeconfig".to_owned();
        let mut suspects = Vec::new();
        loop {
            if self.lab.kubeconfig().is_file() {
                match connect(&self.lab.kubeconfig()).await {
                    Ok(client) => return Ok(client),
                    Err(error) => problem = format!("the API server does not answer: {error}"),
                }
            }
            if let Some(status) = kwokctl.try_wait()?
                && !status.success()
            {
                return Err(self.kwokctl_failed());
            }
            // One that kwokctl starts at this moment has an empty pid file, or does not run its program yet: dead is what
            // was not alive the time before either.
            let started = self.core.iter().filter(|process| process.pid_file.exists());
            let gone: Vec<&str> =
                started.filter(|process| process.pid().is_none()).map(|process| process.name).collect();
            let is_suspect = |process: &&Process| suspects.contains(&process.name);
            self.check_alive(self.core.iter().filter(is_suspect))?;
            suspects = gone;
            self.check_time(&problem)?;
            sleep(POLL).await;
        }
    }

    async fn wait_for_kwokctl(&self, kwokctl: &mut Child) -> Result<(), CommandError> {
        loop {
            if let Some(status) = kwokctl.try_wait()? {
                return if status.success() { Ok(()) } else { Err(self.kwokctl_failed()) };
            }
            self.check_time("kwokctl does not come to an end")?;
            sleep(POLL).await;
        }
    }

    fn start_addons(&mut self, wanted: impl Fn(&Addon) -> bool) -> Result<(), CommandError> {
        for addon in self.addons.iter().filter(|addon| wanted(addon)) {
            if addon.process.pid().is_some() {
                continue;
            }
            let child = addon
                .process
                .start(&mut addon.command(self.lab))
                .with_context(|| format!("start {}", addon.process.name))?;
            self.children.push(child);
        }
        Ok(())
    }

    /// Waits until everything lives and listens, and pods can be made.
    async fn settle(&mut self, client: &Cluster) -> Result<(), CommandError> {
        loop {
            for child in &mut self.children {
                let _ = child.try_wait();
            }
            self.check_alive(self.processes())?;
            // A pod is refused as long as its namespace has no service account.
            if self.addons.iter().all(Addon::listens)
                && client.probe("/readyz").await.is_ok()
                && client.get_path("/api/v1/namespaces/default/serviceaccounts/default").await.is_ok()
            {
                return Ok(());
            }
            let silent = self
                .addons
                .iter()
                .filter(|addon| !addon.listens())
                .map(|addon| addon.process.name)
                .collect::<Vec<_>>();
            self.check_time(&format!("not ready: {}", silent.join(", ")))?;
            sleep(POLL).await;
        }
    }

    fn check_alive<'b>(&self, processes: impl Iterator<Item = &'b Process>) -> Result<(), CommandError> {
        let gone: Vec<Part> = processes.map(Process::part).filter(|part| part.pid.is_none()).collect();
        self.check_parts(&gone)
    }

    /// Fails when there is anything here: all of it should run and does not.
    ///
    /// # Errors
    /// Tells what, with its last words.
    pub fn check_parts(&self, gone: &[Part]) -> Result<(), CommandError> {
        if gone.is_empty() { Ok(()) } else { Err(dead(self.lab, gone)) }
    }

    /// Fails when the time is over that a lab may take.
    ///
    /// # Errors
    /// Tells what was waited for.
    pub fn check_time(&self, problem: &str) -> Result<(), CommandError> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(self.hint(CommandError::failed(format!(
            "lab {} is not up after {}s: {problem}",
            self.lab.name(),
            PATIENCE.as_secs()
        ))))
    }

    fn kwokctl_failed(&self) -> CommandError {
        let text = fs::read_to_string(self.lab.kwokctl_log()).unwrap_or_default();
        let lines: Vec<_> = text.trim().lines().collect();
        let last = lines[lines.len().saturating_sub(8)..].join("\n");
        self.hint(CommandError::failed(format!("kwokctl could not start the control plane:\n{last}")))
    }

    fn hint(&self, error: CommandError) -> CommandError {
        error
            .hint(format!("the logs are in {}", self.lab.logs().display()))
            .hint(format!("remove what is left: shardctl lab down --name {}", self.lab.name()))
    }
}

async fn connect(kubeconfig: &Path) -> Result<Cluster, CommandError> {
    let options = ConnectOptions {
        kubeconfig: Some(kubeconfig.to_owned()),
        request_timeout: REQUEST_TIMEOUT,
        is_local: true,
        ..ConnectOptions::default()
    };
    let client = Cluster::connect(&options, None).await?;
    client.probe("/version").await?;
    Ok(client)
}

/// Components that should run and do not, with the end of the log of the first.
pub fn dead(lab: &LabFolder, parts: &[Part]) -> CommandError {
    let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
    let mut error = CommandError::failed(format!("stopped in lab {}: {}", lab.name(), names.join(", ")));
    if let Some(first) = parts.first() {
        let words = first.last_words(8);
        if !words.is_empty() {
            error = CommandError::failed(format!(
                "{error}; the last words of {}:\n{}",
                first.name,
                words.join("\n")
            ));
        }
        error = error.hint(format!("its log is {}", first.log.display()));
    }
    error.hint(format!("start it again: {}", super::up_command(lab.name())))
}
