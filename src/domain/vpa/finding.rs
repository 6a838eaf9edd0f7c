//! What an operator must know beside the figures, and what to do about it.

use std::fmt;

use super::belief::period;
use super::observed::{Kill, Resource};
use crate::domain::finding::{self, Severity};
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::Unknown;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The autoscaler restarts or resizes shards that run.
    Disturbs {
        autoscaler: String,
        namespace: String,
        mode: String,
    },
    /// The autoscaler gives a shard that restarts another size.
    Resizes {
        autoscaler: String,
        namespace: String,
    },
    NoApi,
    Unknown(Unknown),
    NoAutoscaler,
    /// More than one targets the workload.
    Several {
        names: Vec<String>,
        reported: String,
    },
    NoRecommendation {
        autoscaler: String,
        seconds: Option<i64>,
        why: NoRecommendation,
    },
    /// A container without a recommendation beside one that has some.
    NotAdvised {
        container: String,
        is_off: bool,
    },
    UsageUnknown(Unknown),
    /// Shards that the metrics API has nothing of.
    Unmeasured {
        pods: String,
    },
    /// A shard uses much more than the others.
    Hot {
        pod: String,
        resource: Resource,
        used: Quantity,
        factor: f64,
        median: Quantity,
        /// The target, where it is less than the shard uses.
        target: Option<Quantity>,
        /// What is to be said of other hot shards: `so is kafka-8`.
        others: Option<String>,
    },
    /// Shards were killed for want of memory, this one last.
    Killed {
        pod: String,
        container: String,
        kill: Kill,
        ago: Option<String>,
        others: Option<String>,
    },
    /// Limits that differ from requests.
    NotGuaranteed {
        container: String,
        /// What it does not limit to what it requests: `CPU and memory`.
        what: String,
    },
    /// CPU has been above what is proposed.
    Throttles {
        container: String,
        peak: Quantity,
        proposed: Quantity,
    },
}

/// Why an autoscaler recommends nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRecommendation {
    /// It wants a recommender of this name.
    OtherRecommender(String),
    NoPodsMatched,
    Unsupported(String),
    /// The policy turns it off for every container.
    AllOff,
    /// Nobody measures use.
    NoMetrics(Unknown),
    FetchingHistory,
    /// Nothing speaks against it: it is too early, or the recommender does not run.
    NothingYet,
}

impl Finding {
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Disturbs { .. }
            | Self::NoApi
            | Self::Unknown(_)
            | Self::NoAutoscaler
            | Self::NoRecommendation { .. } => Severity::Error,
            Self::Resizes { .. }
            | Self::Several { .. }
            | Self::UsageUnknown(_)
            | Self::Hot { .. }
            | Self::Killed { .. } => Severity::Warning,
            Self::NotAdvised { .. }
            | Self::Unmeasured { .. }
            | Self::NotGuaranteed { .. }
            | Self::Throttles { .. } => Severity::Info,
        }
    }

    /// A name that does not change, for programs.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Disturbs { .. } => "vpa-evicts",
            Self::Resizes { .. } => "vpa-initial",
            Self::NoApi => "no-vpa-api",
            Self::Unknown(_) => "vpa-unknown",
            Self::NoAutoscaler => "no-vpa",
            Self::Several { .. } => "several-vpas",
            Self::NoRecommendation { .. } => "no-recommendation",
            Self::NotAdvised { .. } => "container-not-advised",
            Self::UsageUnknown(_) => "usage-unknown",
            Self::Unmeasured { .. } => "shards-unmeasured",
            Self::Hot { .. } => "hot-shard",
            Self::Killed { .. } => "oom-killed",
            Self::NotGuaranteed { .. } => "not-guaranteed",
            Self::Throttles { .. } => "cpu-peak",
        }
    }

    /// What to do.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Disturbs { .. } | Self::Resizes { .. } => "set its mode to Off, in which it only watches",
            Self::NoApi => {
                "install the VPA's recommender and its definitions; on AKS `az aks update -g GROUP -n CLUSTER --enable-vpa`"
            }
            Self::Unknown(unknown) if unknown.is_forbidden => {
                "ask for the right to list verticalpodautoscalers.autoscaling.k8s.io"
            }
            Self::Unknown(_) => "see what was asked and answered with -v 6",
            Self::NoAutoscaler => "--create-vpa makes one in mode Off, which only watches",
            Self::Several { .. } => "delete all but one: each disturbs what the others count",
            Self::NoRecommendation { why, .. } => why.advice(),
            Self::NotAdvised { is_off: true, .. } => "take `mode: Off` out of spec.resourcePolicy to get one",
            Self::NotAdvised { is_off: false, .. } => "a container that is new gets one within minutes",
            Self::UsageUnknown(_) => "`kubectl top pods` asks the same API: metrics-server serves it",
            Self::Unmeasured { .. } => "a pod that has just started is measured after a minute or so",
            Self::Hot { .. } => "see what data or clients it has: all shards are sized for the hottest one",
            Self::Killed { .. } => "it needs more, or it leaks: see what it uses over time",
            Self::NotGuaranteed { .. } => "--patch makes them alike",
            Self::Throttles { .. } => "keep today's CPU if a restart must not take longer",
        }
    }
}

impl Finding {
    /// As every other command reports what it finds. `workload` is the StatefulSet's name.
    #[must_use]
    pub fn report(&self, workload: &str) -> finding::Finding {
        let object = match self {
            Self::Disturbs { autoscaler, .. }
            | Self::Resizes { autoscaler, .. }
            | Self::NoRecommendation { autoscaler, .. } => format!("vpa/{autoscaler}"),
            Self::Hot { pod, .. } | Self::Killed { pod, .. } => format!("pod/{pod}"),
            _ => format!("statefulset/{workload}"),
        };
        let advice = self.advice().to_owned();
        let remedy = self.command().map_or(advice.clone(), |command| format!("{advice}: {command}"));
        finding::Finding {
            check: self.id(),
            severity: self.severity(),
            object,
            evidence: self.to_string(),
            remedy,
        }
    }

    /// A command that mends it, as one would type it.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let (Self::Disturbs { autoscaler, namespace, .. } | Self::Resizes { autoscaler, namespace }) = self
        else {
            return None;
        };
        let off = r#"{"spec":{"updatePolicy":{"updateMode":"Off"}}}"#;
        Some(format!("kubectl patch vpa {autoscaler} -n {namespace} --type merge -p '{off}'"))
    }
}

impl NoRecommendation {
    fn advice(&self) -> &'static str {
        match self {
            Self::OtherRecommender(_) => {
                "see that a recommender of this name runs, or take spec.recommenders out"
            }
            Self::NoPodsMatched => "are the shards there, and is spec.targetRef the StatefulSet?",
            Self::Unsupported(_) => "correct what it names",
            Self::AllOff => "take `mode: Off` out of spec.resourcePolicy",
            Self::NoMetrics(_) => "`kubectl top pods` asks the same API: metrics-server serves it",
            Self::FetchingHistory => "wait until it has read the history",
            Self::NothingYet => {
                "the first one comes a minute or two after the first sample; if it does not, see that the recommender \
                 runs: `kubectl get pods -A | grep vpa-recommender`"
            }
        }
    }
}

impl fmt::Display for NoRecommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRecommender(name) => write!(f, "it wants a recommender of the name {name}"),
            Self::NoPodsMatched => f.write_str("it matches no pods"),
            Self::Unsupported(message) => write!(f, "it is not supported: {message}"),
            Self::AllOff => f.write_str("its policy turns recommendations off for every container"),
            Self::NoMetrics(unknown) => write!(f, "nobody measures what shards use: {unknown}"),
            Self::FetchingHistory => f.write_str("the recommender is still reading the history"),
            Self::NothingYet => f.write_str("the recommender has not written one"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disturbs { autoscaler, mode, .. } => {
                let does = match mode.as_str() {
                    "InPlace" => "resizes shards that run",
                    "InPlaceOrRecreate" => "resizes or evicts shards that run",
                    _ => "evicts shards that run",
                };
                write!(
                    f,
                    "vpa/{autoscaler} is in mode {mode}: it {does}, and one shard down is the service down"
                )
            }
            Self::Resizes { autoscaler, .. } => write!(
                f,
                "vpa/{autoscaler} is in mode Initial: it gives a shard that restarts another size than its node was chosen for"
            ),
            Self::NoApi => f.write_str("this cluster has no VerticalPodAutoscaler API"),
            Self::Unknown(unknown) => write!(f, "the autoscalers are not known: {unknown}"),
            Self::NoAutoscaler => f.write_str("no VerticalPodAutoscaler targets the workload"),
            Self::Several { names, reported } => write!(
                f,
                "{} VerticalPodAutoscalers target the workload: {}; this is the word of {reported}",
                names.len(),
                names.join(", ")
            ),
            Self::NoRecommendation { autoscaler, seconds, why } => {
                let since = seconds.map_or_else(String::new, |seconds| format!(" for {}", period(seconds)));
                write!(f, "vpa/{autoscaler} has been there{since} without a recommendation: {why}")
            }
            Self::NotAdvised { container, is_off: true } => {
                write!(f, "container {container} gets no recommendation: the policy says mode Off")
            }
            Self::NotAdvised { container, is_off: false } => {
                write!(f, "container {container} has no recommendation")
            }
            Self::UsageUnknown(unknown) => write!(f, "what shards use now is not known: {unknown}"),
            Self::Unmeasured { pods } => write!(f, "the metrics API has nothing of {pods}"),
            Self::Hot { pod, resource, used, factor, median, target, others } => {
                let used = match resource {
                    Resource::Cpu => format!("{} CPU", in_words(*resource, *used)),
                    Resource::Memory => format!("{} of memory", in_words(*resource, *used)),
                };
                let median = in_words(*resource, *median);
                write!(f, "{pod} is hot: it uses {used}, {factor:.1} times the median of {median}")?;
                if let Some(target) = target {
                    write!(f, ", and more than the target of {}", in_words(*resource, *target))?;
                }
                others.as_ref().map_or(Ok(()), |others| write!(f, "; {others}"))
            }
            Self::Killed { pod, container, kill, ago, others } => {
                let when = ago.as_ref().map_or_else(String::new, |ago| format!(" {ago} ago"));
                let limit = kill.limit.map_or_else(String::new, |limit| {
                    format!(" at its limit of {}", in_words(Resource::Memory, limit))
                });
                let restarts = match kill.restarts {
                    1 => "1 restart".to_owned(),
                    restarts => format!("{restarts} restarts"),
                };
                write!(
                    f,
                    "{pod} was killed for want of memory{when}{limit} ({container}, {restarts} in all)"
                )?;
                others.as_ref().map_or(Ok(()), |others| write!(f, "; {others}"))
            }
            Self::NotGuaranteed { container, what } => write!(
                f,
                "container {container} does not limit {what} to what it requests, so the shard is not Guaranteed; \
                 the proposal is"
            ),
            Self::Throttles { container, peak, proposed } => write!(
                f,
                "CPU of {container} has been at {}, at the start perhaps: with {} it takes longer",
                in_words(Resource::Cpu, *peak),
                in_words(Resource::Cpu, *proposed)
            ),
        }
    }
}

/// An amount in a sentence: cores with up to two decimals, memory in Gi or Mi with up to one.
pub(super) fn in_words(resource: Resource, quantity: Quantity) -> String {
    let trimmed = |text: String| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    let amount = quantity.as_f64();
    match resource {
        Resource::Cpu => trimmed(format!("{amount:.2}")),
        Resource::Memory if amount < 1_073_741_824.0 => format!("{:.0}Mi", (amount / 1_048_576.0).ceil()),
        Resource::Memory => format!("{}Gi", trimmed(format!("{:.1}", amount / 1_073_741_824.0))),
    }
}
