//! Plays a schedule: lets the world and the processes that work on the run take their turns, and judges the end.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use shardctl::domain::rolling::{Run, State, StopReason};
use shardctl::ops::{Approved, Ended, Event, Interrupt, drive, take_back};

use crate::checker::{Guarantee, Violation};
use crate::cluster::SimCluster;
use crate::plan::{actor, plan};
use crate::sabotage::{Sabotage, Saboteur};
use crate::schedule::{Answer, Ms, Schedule};
use crate::story::{Story, Who};
use crate::verdict;
use crate::world::{Process, World};

/// The run begins so long after the world.
const BEGINS: Ms = 1000;
/// No run takes longer, nor more calls.
const LONGEST: Ms = 48 * 3_600_000;
const MOST_CALLS: usize = 60_000;
/// Processes that may work on one run.
const MOST_PROCESSES: usize = 16;

/// How a schedule ended.
#[derive(Clone, Debug)]
pub struct Played {
    pub run: Run,
    pub processes: usize,
    pub calls: usize,
    /// The shards that were deleted, in order.
    pub deleted: Vec<u32>,
    /// Why it stopped, each time.
    pub stops: Vec<String>,
    pub story: Vec<String>,
}

/// A schedule that broke a guarantee.
#[derive(Clone, Debug)]
pub struct Failure {
    pub violation: Violation,
    pub story: Vec<String>,
}

/// Plays a schedule.
///
/// # Errors
/// The guarantee that it broke.
pub fn play(schedule: &Schedule) -> Result<Played, Failure> {
    play_with(schedule, Sabotage::None, Story::silent())
}

/// Plays a schedule on a cluster that is sabotaged.
///
/// # Errors
/// The guarantee that it broke.
pub fn play_with(schedule: &Schedule, sabotage: Sabotage, story: Story) -> Result<Played, Failure> {
    let world = World::new(Rc::new(schedule.clone()), story);
    let mut player = Player {
        world: Rc::new(RefCell::new(world)),
        sabotage,
        patched: Rc::default(),
        actors: Vec::new(),
        stops: Vec::new(),
        answers: schedule.answers.iter().copied().collect(),
    };
    let result = player.play();
    let mut world = player.world.borrow_mut();
    result.map_err(|violation| {
        world.say(Who::Checker, || format!("{}: {}", violation.guarantee, violation.what));
        Failure { violation, story: world.story.lines().to_vec() }
    })
}

/// Tells that a future wants its turn.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A process under way.
struct Actor {
    process: usize,
    future: Pin<Box<dyn Future<Output = Ended>>>,
    flag: Arc<Flag>,
}

/// What the player has to see to.
enum News {
    Ended(usize, Box<Ended>),
    Died,
    TakeOver,
    /// The pause is over.
    Time,
}

struct Player {
    world: Rc<RefCell<World>>,
    sabotage: Sabotage,
    patched: Rc<Cell<u32>>,
    actors: Vec<Actor>,
    stops: Vec<String>,
    answers: std::collections::VecDeque<Answer>,
}

impl Player {
    fn play(&mut self) -> Result<Played, Violation> {
        self.wait(BEGINS)?;
        let run = self.plan();
        self.start(run, Errand::Drive);
        let last = loop {
            match self.next(Ms::MAX)? {
                News::Ended(process, ended) => {
                    if self.is_over(process, &ended)? {
                        break ended.run;
                    }
                    let is_lost = ended.run.state == State::Stopped { why: StopReason::LockLost };
                    // Who took the lock goes on by itself.
                    if !is_lost {
                        self.answer(&ended)?;
                    }
                }
                News::Died => {
                    self.stops.push("it died".to_owned());
                    self.answer_death()?;
                }
                News::TakeOver => self.take_over()?,
                News::Time => return Err(ends("nothing is left to happen, and the run has not ended")),
            }
        };
        let world = &mut *self.world.borrow_mut();
        verdict::at_the_end(world, &last)?;
        Ok(Played {
            run: last,
            processes: world.processes.len(),
            calls: world.calls.len(),
            deleted: world.checker.deleted.clone(),
            stops: std::mem::take(&mut self.stops),
            story: world.story.lines().to_vec(),
        })
    }

    /// Plans the run, and has it approved.
    fn plan(&mut self) -> Run {
        let world = &mut *self.world.borrow_mut();
        let run = plan(world);
        let kind = world.schedule.task.kind.clone();
        let revision = crate::plan::wanted_template(world, &kind).map(|template| {
            let index = world.revision(&template);
            world.set.revisions[index].name.clone()
        });
        let now = world.now;
        world.checker.approve(&run, revision, now);
        self.sabotage.tamper(run)
    }

    /// Whether the run has come to its end; judges how it ended or stopped.
    fn is_over(&mut self, process: usize, ended: &Ended) -> Result<bool, Violation> {
        let world = &mut *self.world.borrow_mut();
        if world.current == Some(process) {
            (world.current, world.interrupt) = (None, None);
        }
        verdict::of_process(world, process, ended)?;
        match &ended.run.state {
            State::Done | State::Aborted { .. } => Ok(true),
            State::Stopped { why } => {
                self.stops.push(why.to_string());
                Ok(false)
            }
            State::Running => Err(ends("the process ended, and the run goes on")),
        }
    }

    /// Goes on with a run that stopped, or takes it back.
    fn answer(&mut self, ended: &Ended) -> Result<(), Violation> {
        match self.answers.pop_front() {
            Some(Answer::Resume { after }) => self.go_on(after, Errand::Drive),
            Some(Answer::Abort { after }) => self.go_on(after, Errand::Abort),
            None => {
                let mut world = self.world.borrow_mut();
                // What stops it now stops it for good.
                let errand = if world.is_mended { Errand::Abort } else { Errand::Drive };
                if world.is_mended {
                    verdict::of_final_stop(&world, ended)?;
                }
                world.mend();
                drop(world);
                self.go_on(1000, errand)
            }
        }
    }

    fn answer_death(&mut self) -> Result<(), Violation> {
        match self.answers.pop_front() {
            Some(Answer::Resume { after }) => self.go_on(after, Errand::Drive),
            Some(Answer::Abort { after }) => self.go_on(after, Errand::Abort),
            None => {
                self.world.borrow_mut().mend();
                self.go_on(1000, Errand::Drive)
            }
        }
    }

    /// Another process takes the lock, and goes on with the run.
    fn take_over(&mut self) -> Result<(), Violation> {
        self.world.borrow_mut().takeovers = 0;
        let is_taken = self
            .world
            .borrow()
            .current
            .is_some_and(|current| !self.world.borrow().processes[current].has_lost_lock);
        if is_taken {
            return Ok(());
        }
        self.go_on(0, Errand::Drive)
    }

    fn go_on(&mut self, after: Ms, errand: Errand) -> Result<(), Violation> {
        self.wait(after)?;
        if self.world.borrow().processes.len() >= MOST_PROCESSES {
            return Err(ends("it was resumed again and again"));
        }
        // Whoever goes on with it reads it as text.
        let text = |run: &Run| serde_json::to_string(run).expect("a journal that can be written");
        let journal = self.world.borrow().journal.as_ref().map(|journal| text(&journal.run));
        // What was never written down never began: the operator calls it again.
        let run: Option<Run> =
            journal.map(|text| serde_json::from_str(&text).expect("a journal that can be read"));
        let run = match run {
            Some(mut run) => {
                run.attempt += 1;
                run.by = actor(self.world.borrow().processes.len());
                run
            }
            None => self.plan(),
        };
        self.start(run, errand);
        Ok(())
    }

    fn start(&mut self, run: Run, errand: Errand) {
        let interrupt = Rc::new(Interrupt::default());
        let process = {
            let mut world = self.world.borrow_mut();
            if world.processes.last().is_some_and(|last| last.is_dead || last.has_lost_lock) {
                let world = &mut *world;
                world.checker.forget(world.now, world.journal.as_ref().map(|journal| &*journal.run));
            }
            let process = world.processes.len();
            world.processes.push(Process::default());
            world.current = Some(process);
            world.interrupt = Some(Rc::clone(&interrupt));
            world.say(Who::Process(process), || format!("{errand:?}, attempt {}", run.attempt));
            process
        };
        let cluster = SimCluster { world: Rc::clone(&self.world), process };
        let saboteur = Saboteur { cluster, sabotage: self.sabotage, patched: Rc::clone(&self.patched) };
        let future: Pin<Box<dyn Future<Output = Ended>>> = match errand {
            Errand::Drive => Box::pin(driving(saboteur, run, interrupt)),
            Errand::Abort => Box::pin(aborting(saboteur, run, interrupt)),
        };
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.actors.push(Actor { process, future, flag });
    }

    /// Lets so much time pass.
    fn wait(&mut self, delay: Ms) -> Result<(), Violation> {
        let until = self.world.borrow().now + delay;
        loop {
            match self.next(until)? {
                News::Time => {
                    self.world.borrow_mut().now = until;
                    return Ok(());
                }
                // A process that lost its lock may still be under way, and end meanwhile.
                News::Ended(process, ended) => {
                    verdict::of_process(&mut self.world.borrow_mut(), process, &ended)?;
                }
                News::Died => {}
                News::TakeOver => self.world.borrow_mut().takeovers = 0,
            }
        }
    }

    /// Lets the world and the processes take their turns until there is something to see to.
    fn next(&mut self, until: Ms) -> Result<News, Violation> {
        loop {
            if let Some(news) = self.turns() {
                return Ok(news);
            }
            let mut world = self.world.borrow_mut();
            if let Some(violation) = world.checker.violation.clone() {
                return Err(violation);
            }
            if world.takeovers > 0 {
                return Ok(News::TakeOver);
            }
            if world.now > LONGEST || world.calls.len() > MOST_CALLS {
                return Err(ends(&format!("it goes on and on: {} calls", world.calls.len())));
            }
            if world.next_at().is_none_or(|next| next > until) {
                return Ok(News::Time);
            }
            world.step();
        }
    }

    /// Gives each process that wants one its turn.
    fn turns(&mut self) -> Option<News> {
        for index in 0..self.actors.len() {
            let actor = &mut self.actors[index];
            let process = actor.process;
            {
                let world = self.world.borrow();
                let its = &world.processes[process];
                if its.is_dead {
                    drop(world);
                    return Some(self.bury(index));
                }
                if its.frozen_until > world.now {
                    continue;
                }
            }
            if !actor.flag.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let waker = Waker::from(Arc::clone(&actor.flag));
            if let Poll::Ready(ended) = actor.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                drop(self.actors.remove(index));
                return Some(News::Ended(process, Box::new(ended)));
            }
            if self.world.borrow().processes[process].is_dead {
                return Some(self.bury(index));
            }
        }
        None
    }

    fn bury(&mut self, index: usize) -> News {
        let actor = self.actors.remove(index);
        drop(actor.future);
        let mut world = self.world.borrow_mut();
        if world.current == Some(actor.process) {
            (world.current, world.interrupt) = (None, None);
        }
        News::Died
    }
}

/// What a process is called for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Errand {
    Drive,
    Abort,
}

fn ends(what: &str) -> Violation {
    Violation { guarantee: Guarantee::Ends, what: what.to_owned() }
}

fn approve(run: &Run) -> Approved {
    match Approved::by(run, |_| Ok::<(), std::convert::Infallible>(())) {
        Ok(approved) => approved,
        Err(never) => match never {},
    }
}

async fn driving(cluster: Saboteur, run: Run, interrupt: Rc<Interrupt>) -> Ended {
    let approved = approve(&run);
    let mut tell = teller(&cluster);
    cluster.sabotage.misreport(drive(&cluster, &approved, run, &interrupt, &mut tell).await)
}

/// What `rollout abort` does.
async fn aborting(cluster: Saboteur, run: Run, interrupt: Rc<Interrupt>) -> Ended {
    let approved = approve(&run);
    let mut tell = teller(&cluster);
    take_back(&cluster, &approved, run, true, "the operator said so", &interrupt, &mut tell).await
}

/// Tells the story what a process tells the operator.
fn teller(cluster: &Saboteur) -> impl FnMut(&Event) + use<> {
    let (world, process) = (Rc::clone(&cluster.cluster.world), cluster.cluster.process);
    move |event: &Event| {
        world.borrow_mut().say(Who::Process(process), || match format!("{:?}", event.what) {
            text if text.len() > 300 => format!("* {}...", text.chars().take(80).collect::<String>()),
            text => format!("* {text}"),
        });
    }
}
