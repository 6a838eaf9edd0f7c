//! A lab that is being started: its processes, what it waits for, and what it says when something dies.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use super::addons::{Addon, addons_of, core, starter};
use super::layout::{BuildFolder, LabFolder};
use super::objects::{self, Object};
use super::process::{Part, Process};
use super::real::place::Place;
use super::real::{self, RealLab};
use super::record::{Record, Tier};
use crate::error::CommandError;
use crate::k8s::{Cluster, ConnectOptions};

/// A lab that is not up by then never will be: warm it takes seconds, on a busy machine a minute.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long one answer of the API server may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
pub const POLL: Duration = Duration::from_millis(25);

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
    #[must_use]
    pub fn new(lab: &'a LabFolder, build: &'a BuildFolder, record: &Record) -> Self {
        Self {
            lab,
            build,
            core: core(lab, build, record.options.tier),
            addons: addons_of(lab, build, record),
            children: Vec::new(),
            deadline: Instant::now() + PATIENCE,
        }
    }

    /// What kwokctl and shardctl start.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.core.iter().chain(self.addons.iter().map(|addon| &addon.process))
    }

    /// Starts everything that does not run, and returns once all of it is ready.
    ///
    /// # Errors
    /// When something dies, or takes too long.
    pub async fn run(&mut self, mut command: Command, record: &Record) -> Result<(), CommandError> {
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
