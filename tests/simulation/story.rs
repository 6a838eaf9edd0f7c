//! What happened in a simulation, for people to read. It is written down only when somebody will read it: a failing
//! schedule is played once more for it.

use crate::schedule::{Ms, seconds};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    /// The n-th process that works on the run.
    Process(usize),
    Server,
    Controller,
    Scheduler,
    Karpenter,
    Kubelet,
    Somebody,
    Checker,
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(index) => f.pad(&format!("shardctl {}", index + 1)),
            Self::Server => f.pad("api server"),
            Self::Controller => f.pad("statefulset"),
            Self::Scheduler => f.pad("scheduler"),
            Self::Karpenter => f.pad("karpenter"),
            Self::Kubelet => f.pad("kubelet"),
            Self::Somebody => f.pad("somebody"),
            Self::Checker => f.pad("CHECKER"),
        }
    }
}

/// The story, or nothing where nobody listens.
#[derive(Default)]
pub struct Story(Option<Vec<String>>);

impl Story {
    pub fn silent() -> Self {
        Self(None)
    }

    pub fn told() -> Self {
        Self(Some(Vec::new()))
    }

    pub fn tell(&mut self, at: Ms, who: Who, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(format!("{:>12}  {who:<12} {}", seconds(at), what()));
        }
    }

    pub fn lines(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }
}
