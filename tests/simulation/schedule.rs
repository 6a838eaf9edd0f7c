//! A schedule: a service, what is to be done with it, and everything that goes wrong meanwhile.
//!
//! It is plain data, so that a failing one can be cut down to what matters and printed.

use std::collections::BTreeSet;
use std::fmt;

use shardctl::domain::rolling::Strategy;

use super::dice::Dice;

/// Milliseconds since the simulation began.
pub type Ms = u64;

/// Everything about one simulated run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Draws what the schedule leaves open: how long each call and each step of a controller takes.
    pub seed: u64,
    pub service: Service,
    pub task: Task,
    pub faults: Vec<Fault>,
    /// What is done each time that the run stops part-way or its process dies. When these are used up everything is
    /// mended and the run is resumed, which must bring it to its end.
    pub answers: Vec<Answer>,
}

/// The service and its cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub shards: u32,
    pub zones: u32,
    /// Shards that a node has room for.
    pub per_node: u32,
    pub is_ordered_ready: bool,
    /// From the containers' start to Ready.
    pub start: Ms,
    /// From being asked to end to being gone.
    pub end: Ms,
    pub pull: Ms,
    pub launch: Ms,
    /// How late the StatefulSet controller is.
    pub controller: Ms,
    /// Shards that are not Ready when the run begins, and never will be as they are.
    pub broken: BTreeSet<u32>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub kind: Kind,
    pub strategy: Strategy,
    pub is_descending: bool,
    pub prewarm: bool,
    /// Good answers in a row, if there is a gate.
    pub gate: Option<u32>,
    pub settle: Ms,
    pub max_outage: Option<Ms>,
    pub max_total_outage: Option<Ms>,
    pub restart_forecast: Option<Ms>,
}

/// Which operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Migrate,
    Upgrade,
    /// The nodes of these shards are emptied, of `others` pods, too.
    Drain {
        of: BTreeSet<u32>,
        others: u32,
        relax: bool,
    },
    /// These shards are of the newer template, the others of the one that is gone back to.
    Undo {
        newer: BTreeSet<u32>,
    },
}

/// What goes wrong, or what others do meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The n-th call goes wrong.
    Call {
        call: u32,
        how: CallFault,
    },
    /// The process dies at its n-th call.
    Crash {
        call: u32,
        is_after_effect: bool,
    },
    /// The process stands still at its n-th call, and does not know it: a laptop that sleeps.
    Freeze {
        call: u32,
        lasts: Ms,
    },
    WatchLags {
        from: Ms,
        to: Ms,
        by: Ms,
    },
    WatchIsLost {
        from: Ms,
        to: Ms,
    },
    /// The n-th new pod of a shard does not come up, for so long or for ever.
    PodFails {
        ordinal: u32,
        remake: u32,
        how: PodFault,
        lasts: Option<Ms>,
    },
    /// A shard that was Ready is not, for a while.
    Unready {
        at: Ms,
        ordinal: u32,
        lasts: Ms,
    },
    /// The pod of a shard ends by itself (evicted by the kubelet), and the controller makes it anew.
    PodEnds {
        at: Ms,
        ordinal: u32,
    },
    /// The node of a shard vanishes with its pods.
    NodeVanishes {
        at: Ms,
        ordinal: u32,
    },
    /// Karpenter wants to replace the node of a shard, and does unless the budgets of its pool forbid it.
    NodeDrifts {
        at: Ms,
        ordinal: u32,
    },
    ControllerStalls {
        from: Ms,
        to: Ms,
    },
    NoNewNodes {
        from: Ms,
        to: Ms,
    },
    PlaceholderDeleted {
        at: Ms,
        ordinal: u32,
    },
    PlaceholderEnds {
        at: Ms,
        ordinal: u32,
    },
    /// The node of a placeholder vanishes with its pods.
    PlaceVanishes {
        at: Ms,
        ordinal: u32,
    },
    /// A shard says that it is not well, Ready or not.
    GateRefuses {
        ordinal: u32,
        from: Ms,
        to: Ms,
    },
    /// The disruption budget of the other pods lets none go until then.
    BudgetIsFull {
        to: Ms,
    },
    /// Another person deletes a shard.
    Deletes {
        at: Ms,
        ordinal: u32,
    },
    /// Another person gives the StatefulSet a template of their own.
    ChangesTemplate {
        at: Ms,
    },
    Scales {
        at: Ms,
        to: u32,
    },
    /// Another person changes the disruption budgets of the pools to so many nodes.
    ChangesBudgets {
        at: Ms,
        nodes: u32,
    },
    Uncordons {
        at: Ms,
    },
    SetsRollingUpdate {
        at: Ms,
    },
    /// The StatefulSet is deleted, and made anew under the same name.
    Replaces {
        at: Ms,
    },
    /// The lock cannot be renewed; another process takes it so much later.
    LosesLock {
        at: Ms,
        taken_after: Ms,
    },
    /// Ctrl-C.
    Interrupt {
        at: Ms,
    },
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CallFault {
    /// 429, with Retry-After if it is not 0.
    Busy(Ms),
    /// No answer, and nothing happened.
    LostBefore,
    /// No answer, and it happened.
    LostAfter,
    /// No answer, and it happens so much later. Only what is sure to be refused by then, or harmless, is sent so.
    Late(Ms),
    /// Somebody else writes the object a moment before.
    Collision,
    /// The call takes so long.
    Slow(Ms),
    Refused,
}

/// Why a pod does not come up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PodFault {
    NeverReady,
    ImagePull,
    CrashLoop,
}

/// What is done about a run that stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Resume { after: Ms },
    Abort { after: Ms },
}

impl Schedule {
    /// A service of some shards that is well, and a run without a fault.
    pub fn quiet(kind: Kind, shards: u32) -> Self {
        Self {
            seed: 1,
            service: Service {
                shards,
                zones: 1,
                per_node: 2,
                is_ordered_ready: false,
                start: 2500,
                end: 1000,
                pull: 500,
                launch: 8000,
                controller: 50,
                broken: BTreeSet::new(),
            },
            task: Task {
                kind,
                strategy: Strategy::OneByOne,
                is_descending: false,
                prewarm: true,
                gate: Some(2),
                settle: 3000,
                max_outage: None,
                max_total_outage: None,
                restart_forecast: None,
            },
            faults: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// The `seed`-th random schedule.
    pub fn random(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0xA076_1D64_78BD_642F));
        // Few shards show most of what there is to see, and are fast.
        let shards = match dice.below(16) {
            0 => 1,
            1..=8 => 2 + dice.below(3),
            9..=13 => 5 + dice.below(6),
            _ => 11 + dice.below(20),
        };
        let kind = kind(&mut dice, shards);
        let service = service(&mut dice, shards, &kind);
        let task = task(&mut dice, kind, &service);
        let horizon = horizon(&service, &task);
        let count = match dice.below(8) {
            0 => 0,
            1 | 2 => 1,
            3 | 4 => 2,
            5 => 3,
            6 => 4,
            _ => 5 + dice.below(4),
        };
        let faults = (0..count).map(|_| fault(&mut dice, shards, horizon)).collect();
        let answers = (0..dice.below(4)).map(|_| answer(&mut dice)).collect();
        Self { seed: dice.roll(), service, task, faults, answers }
    }

    /// Schedules that are a little simpler than this one, the greatest steps first.
    pub fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut other = self.clone();
            change(&mut other);
            if other != *self {
                simpler.push(other);
            }
        };
        let half = self.faults.len() / 2;
        with(&|other| drop(other.faults.split_off(half)));
        with(&|other| drop(other.faults.drain(..half)));
        for index in 0..self.faults.len() {
            with(&|other| {
                other.faults.remove(index);
            });
        }
        for index in 0..self.answers.len() {
            with(&|other| {
                other.answers.remove(index);
            });
        }
        for shards in [1, 2, 3, self.service.shards / 2, self.service.shards.saturating_sub(1)] {
            with(&|other| {
                if shards >= 1 && shards < other.service.shards {
                    other.keep_shards(shards);
                }
            });
        }
        with(&|other| other.service.broken.clear());
        with(&|other| other.service.zones = 1);
        with(&|other| other.service.is_ordered_ready = false);
        with(&|other| other.task.prewarm = false);
        with(&|other| other.task.gate = None);
        with(&|other| other.task.settle = 0);
        with(&|other| other.task.max_outage = None);
        with(&|other| other.task.max_total_outage = None);
        with(&|other| other.task.is_descending = false);
        with(&|other| other.task.strategy = Strategy::OneByOne);
        with(&|other| {
            if let Kind::Drain { others, relax, .. } = &mut other.task.kind {
                (*others, *relax) = (0, false);
            }
        });
        simpler
    }

    fn keep_shards(&mut self, shards: u32) {
        self.service.shards = shards;
        self.service.broken.retain(|ordinal| *ordinal < shards);
        if let Kind::Drain { of: some, .. } | Kind::Undo { newer: some } = &mut self.task.kind {
            some.retain(|ordinal| *ordinal < shards);
            if some.is_empty() {
                some.insert(0);
            }
        }
    }

    pub fn has(&self, is: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(is)
    }
}

fn kind(dice: &mut Dice, shards: u32) -> Kind {
    let some = |dice: &mut Dice| -> BTreeSet<u32> {
        let mut some: BTreeSet<u32> = (0..shards).filter(|_| dice.one_in(2)).collect();
        some.insert(dice.below(shards));
        some
    };
    match dice.below(8) {
        0..=2 => Kind::Migrate,
        3..=4 => Kind::Upgrade,
        5 | 6 => {
            let of = match dice.one_in(2) {
                true => BTreeSet::from([dice.below(shards)]),
                false => some(dice),
            };
            Kind::Drain { of, others: dice.below(4), relax: dice.one_in(2) }
        }
        _ => Kind::Undo { newer: some(dice) },
    }
}

fn service(dice: &mut Dice, shards: u32, kind: &Kind) -> Service {
    let mut broken = BTreeSet::new();
    if dice.one_in(5) {
        let may_break: Vec<u32> = match kind {
            Kind::Undo { newer } => newer.iter().copied().collect(),
            Kind::Drain { of, .. } => of.iter().copied().collect(),
            _ => (0..shards).collect(),
        };
        for _ in 0..=dice.below(2) {
            broken.insert(dice.pick(&may_break));
        }
    }
    Service {
        shards,
        zones: dice.pick(&[1, 1, 2, 3]),
        per_node: dice.pick(&[1, 2, 3, 8]),
        is_ordered_ready: dice.one_in(4),
        start: dice.pick(&[200, 1000, 2500, 6000]),
        end: dice.pick(&[0, 100, 1000, 4000]),
        pull: dice.pick(&[100, 2000, 10_000]),
        launch: dice.pick(&[2000, 12_000]),
        controller: dice.pick(&[5, 50, 300, 2000]),
        broken,
    }
}

fn task(dice: &mut Dice, kind: Kind, service: &Service) -> Task {
    let restart = service.start + service.end + service.controller + 2000;
    let budget = |dice: &mut Dice, of: Ms| dice.one_in(6).then(|| of * dice.between(1, 12) / 4);
    let max_outage = budget(dice, restart);
    let max_total_outage = budget(dice, restart * u64::from(service.shards));
    Task {
        kind,
        strategy: match dice.below(4) {
            0 | 1 => Strategy::OneByOne,
            2 => Strategy::Canary,
            _ => Strategy::Waves(1 + dice.below(5)),
        },
        is_descending: dice.one_in(2),
        prewarm: !dice.one_in(3),
        gate: dice.one_in(2).then(|| 1 + dice.below(3)),
        settle: dice.pick(&[0, 0, 1000, 10_000]),
        max_outage,
        max_total_outage,
        // Planning refuses budgets where nobody knows how long a restart takes.
        restart_forecast: (max_outage.is_some() || max_total_outage.is_some() || dice.one_in(2))
            .then_some(restart),
    }
}

/// About how long the run takes.
fn horizon(service: &Service, task: &Task) -> Ms {
    let restart = service.start + service.end + service.controller + 1500;
    let waves = match task.strategy {
        Strategy::OneByOne => service.shards,
        Strategy::Canary => 2,
        Strategy::Waves(size) => 1 + service.shards / size.max(1),
    };
    4000 + service.launch + service.pull + u64::from(waves) * (restart + task.settle)
}

fn fault(dice: &mut Dice, shards: u32, horizon: Ms) -> Fault {
    let at = dice.between(500, horizon);
    let ordinal = dice.below(shards);
    let call = dice.below(30 + 8 * shards);
    let lasts = dice.pick(&[50, 700, 3000, 20_000, 70_000]);
    let (from, to) = (at, at + lasts);
    match dice.below(40) {
        0..=7 => Fault::Call { call, how: call_fault(dice) },
        8..=11 => Fault::Crash { call, is_after_effect: dice.one_in(2) },
        12 => Fault::Freeze { call, lasts: dice.pick(&[2000, 25_000, 60_000]) },
        13 | 14 => Fault::WatchLags { from, to, by: dice.pick(&[50, 500, 3000, 20_000]) },
        15 => Fault::WatchIsLost { from, to },
        16 | 17 => Fault::PodFails {
            ordinal,
            remake: 1 + dice.below(2),
            how: dice.pick(&[PodFault::NeverReady, PodFault::ImagePull, PodFault::CrashLoop]),
            lasts: dice.one_in(2).then(|| dice.pick(&[1000, 15_000, 100_000])),
        },
        18 | 19 => Fault::Unready { at, ordinal, lasts },
        20 => Fault::PodEnds { at, ordinal },
        21 => Fault::NodeVanishes { at, ordinal },
        22 => Fault::NodeDrifts { at, ordinal },
        23 => Fault::ControllerStalls { from, to },
        24 => Fault::NoNewNodes { from: at / 3, to: at / 3 + dice.pick(&[5000, 60_000, 900_000]) },
        25 if dice.one_in(2) => Fault::PlaceVanishes { at, ordinal },
        25 => Fault::PlaceholderDeleted { at, ordinal },
        26 => Fault::PlaceholderEnds { at, ordinal },
        27 => Fault::GateRefuses { ordinal, from: at / 2, to },
        28 => Fault::BudgetIsFull { to: at + dice.pick(&[2000, 30_000, 900_000]) },
        29 | 30 => Fault::Deletes { at, ordinal },
        31 => Fault::ChangesTemplate { at },
        32 => Fault::Scales { at, to: dice.pick(&[shards.saturating_sub(1), shards + 1]) },
        33 => Fault::ChangesBudgets { at, nodes: 7 },
        34 => match dice.below(3) {
            0 => Fault::Uncordons { at },
            1 => Fault::SetsRollingUpdate { at },
            _ => Fault::Replaces { at },
        },
        35 | 36 => Fault::LosesLock { at, taken_after: dice.between(10_000, 40_000) },
        _ => Fault::Interrupt { at },
    }
}

fn call_fault(dice: &mut Dice) -> CallFault {
    match dice.below(10) {
        0 => CallFault::Busy(0),
        1 => CallFault::Busy(dice.pick(&[1000, 30_000])),
        2 | 3 => CallFault::LostBefore,
        4 | 5 => CallFault::LostAfter,
        6 => CallFault::Late(dice.pick(&[300, 3000, 20_000])),
        7 => CallFault::Collision,
        8 => CallFault::Slow(dice.pick(&[200, 3000, 25_000])),
        _ => CallFault::Refused,
    }
}

fn answer(dice: &mut Dice) -> Answer {
    let after = dice.pick(&[100, 2000, 20_000, 3_600_000]);
    match dice.one_in(4) {
        true => Answer::Abort { after },
        false => Answer::Resume { after },
    }
}

/// Milliseconds as seconds.
pub fn seconds(ms: Ms) -> String {
    format!("{}.{:03}s", ms / 1000, ms % 1000)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service { shards, zones, per_node, .. } = &self.service;
        let (service, task) = (&self.service, &self.task);
        let policy = if service.is_ordered_ready { "OrderedReady" } else { "Parallel" };
        writeln!(f, "{:?} of {shards} shards, {}", task.kind, task.strategy)?;
        writeln!(
            f,
            "  {policy}, {zones} zones, {per_node} shards to a node; broken before: {:?}",
            service.broken
        )?;
        writeln!(
            f,
            "  start {}, end {}, image pull {}, node launch {}, controller {}",
            seconds(service.start),
            seconds(service.end),
            seconds(service.pull),
            seconds(service.launch),
            seconds(service.controller)
        )?;
        let budget = |budget: Option<Ms>| budget.map_or("none".to_owned(), seconds);
        writeln!(
            f,
            "  {}, prewarm {}, gate {:?}, settle {}, max outage {}, in all {}",
            if task.is_descending { "last first" } else { "0 first" },
            task.prewarm,
            task.gate,
            seconds(task.settle),
            budget(task.max_outage),
            budget(task.max_total_outage)
        )?;
        if self.faults.is_empty() {
            writeln!(f, "  no faults")?;
        }
        for fault in &self.faults {
            writeln!(f, "  fault: {fault:?}")?;
        }
        write!(f, "  when it stops: {:?}, then all is mended and it is resumed", self.answers)
    }
}
