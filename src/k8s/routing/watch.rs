//! Lets shards ask each other all the time: one exec session a shard for as long as its pod lives, and another in the next.
//!
//! A new session for each round would cost the API server and the kubelet far more than the questions. One that cannot
//! be, because the image has no shell or nobody may exec, is replaced by questions through port-forward.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::hearing::NO_TOOL;
use super::session::{ROW_PY, ROW_SH, line_about, quoted};
use super::shell::{container, why_no_shell};
use super::{RoutingQuestion, blank};
use crate::domain::names::PodName;
use crate::domain::routing::availability::Observer;
use crate::domain::routing::{Mark, Place, Reading, Survey, read_line};
use crate::domain::snapshot::Snapshot;
use crate::k8s::client::Cluster;
use crate::k8s::error::{Failure, RequestError};

/// What makes a row go on and on.
const WATCH_SH: &str = include_str!("watch.sh");
const WATCH_PY: &str = include_str!("watch.py");
/// Questions under way at the same time in one session: shards that hang are not to keep the others from being asked.
const WORKERS: usize = 8;
/// A session ends by itself after so long, lest it outlives a shardctl that was killed; another takes its place.
const SESSION_LIFE: Duration = Duration::from_mins(5);
/// A session that broke is begun again after so long; longer each time, up to the second.
const BEGIN_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

/// How runtimes tell that a process was killed or asked to end.
const KILLED: [&str; 2] = ["exit code 137", "exit code 143"];
const WAS_KILLED: &str = "the session was killed, as happens when the pod ends";

/// What is heard from those who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody asks from now on, and with what.
    Asks { observer: Observer, with: String },
    /// How a shard answered a question that was asked then.
    Answer { observer: Observer, shard: u32, asked_at: Timestamp, mark: Mark },
    /// Somebody asks no more; why, unless its pod is gone.
    Leaves { observer: Observer, why: Option<String> },
    /// A shard cannot ask over its network.
    Mute { shard: u32, why: String },
}

/// What all sessions need.
struct Watch {
    cluster: Cluster,
    survey: Survey,
    question: RoutingQuestion,
    /// The session's container.
    container: Option<String>,
    /// Between two questions to a shard that is asked through port-forward.
    pause: Duration,
    /// Sessions that begin at the same time.
    beginnings: Semaphore,
    /// Shards that cannot ask, and are asked whether their pod is there or not.
    mute: Mutex<BTreeSet<u32>>,
    heard: mpsc::UnboundedSender<Heard>,
}

/// How a session ended.
enum End {
    /// It was at work, and is begun again: at once where it ended as it should.
    Broke(Option<String>),
    /// It can never begin.
    Never(String),
}

impl Cluster {
    /// Lets every shard ask every other all the time, each about once in `every`, and tells what is heard, until the
    /// receiver is dropped. Fewer questions are asked where more than [`RoutingQuestion::qps`] a second would be.
    ///
    /// # Errors
    /// When the pods cannot be read at the beginning.
    pub async fn listen(
        &self,
        snapshot: &Snapshot,
        question: &RoutingQuestion,
        every: Duration,
        heard: mpsc::UnboundedSender<Heard>,
    ) -> Result<(), RequestError> {
        let mut survey = blank(snapshot, question);
        for ordinal in 0..survey.replicas {
            let pod = PodName::new(survey.pod_name(ordinal));
            survey.places.entry(ordinal).or_insert_with(|| Place { pod, ..Place::default() });
        }
        let container = container(snapshot, question.port);
        let pause = rest(survey.replicas, question.qps, every);
        let watch = Arc::new(Watch {
            cluster: self.clone(),
            survey,
            question: question.clone(),
            container,
            pause,
            beginnings: Semaphore::new(question.concurrency),
            mute: Mutex::default(),
            heard,
        });
        let mut changes = self.changes(&snapshot.workload);
        let mut sessions: JoinSet<()> = JoinSet::new();
        let mut open: BTreeMap<u32, (String, AbortHandle)> = BTreeMap::new();
        let mut is_first = true;
        while !watch.heard.is_closed() {
            let pods = match self.workload_and_pods(&watch.survey.workload).await {
                Ok((_, pods)) => pods,
                Err(error) if is_first => return Err(error),
                // Those that are open go on.
                Err(_) => {
                    changes.next().await;
                    continue;
                }
            };
            is_first = false;
            let running: BTreeMap<u32, String> = pods
                .into_iter()
                .filter(|(ordinal, pod)| *ordinal < watch.survey.replicas && pod.deleted_at.is_none())
                .filter(|(_, pod)| pod.phase == "Running")
                .map(|(ordinal, pod)| (ordinal, pod.uid))
                .collect();
            open.retain(|ordinal, (uid, session)| {
                let is_there = running.get(ordinal) == Some(uid) || watch.mute().contains(ordinal);
                if !is_there {
                    session.abort();
                    watch.tell(Heard::Leaves { observer: Observer::Shard(*ordinal), why: None });
                }
                is_there
            });
            while sessions.try_join_next().is_some() {}
            for (ordinal, uid) in running {
                open.entry(ordinal)
                    .or_insert_with(|| (uid, sessions.spawn(Arc::clone(&watch).ask_from(ordinal))));
            }
            tokio::select! {
                () = changes.next() => {}
                () = watch.heard.closed() => {}
            }
        }
        sessions.shutdown().await;
        Ok(())
    }
}

impl Watch {
    fn tell(&self, heard: Heard) {
        // Who does not listen any more ends everything soon.
        let _ = self.heard.send(heard);
    }

    fn mute(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.mute.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a shard ask for as long as its pod lives.
    async fn ask_from(self: Arc<Self>, ordinal: u32) {
        let observer = Observer::Shard(ordinal);
        let mut pause = BEGIN_AGAIN.0;
        loop {
            match self.session(ordinal).await {
                End::Never(why) => {
                    self.mute().insert(ordinal);
                    self.tell(Heard::Mute { shard: ordinal, why });
                    return self.ask_directly(ordinal).await;
                }
                End::Broke(None) => pause = BEGIN_AGAIN.0,
                End::Broke(why) => {
                    self.tell(Heard::Leaves { observer, why });
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BEGIN_AGAIN.1);
                }
            }
        }
    }

    /// One session, from its beginning to its end.
    async fn session(&self, ordinal: u32) -> End {
        let pod = PodName::new(self.survey.pod_name(ordinal));
        let Ok(turn) = self.beginnings.acquire().await else { return End::Broke(None) };
        let namespace = &self.survey.workload.namespace;
        let mut process = match self.cluster.begin_shell(namespace, &pod, self.container.as_deref()).await {
            Ok(process) => process,
            Err(error) if error.failure == Failure::Forbidden => return End::Never(error.message),
            Err(error) => return End::Broke(Some(error.message)),
        };
        let status = process.take_status();
        let (Some(mut stdin), Some(stdout)) = (process.stdin(), process.stdout()) else {
            return End::Broke(Some("exec gave no streams".to_owned()));
        };
        let script = script(&self.survey, &self.question, self.pause, ordinal);
        drop(turn);
        // A process that has not begun takes nothing; what it says of that comes below. The script ends with its input, so
        // that stays open.
        let written = async {
            let _ = stdin.write_all(script.as_bytes()).await;
            let _ = stdin.flush().await;
            std::future::pending::<()>().await;
        };
        let mut lines = BufReader::new(stdout).lines();
        let observer = Observer::Shard(ordinal);
        let mut asked: BTreeMap<u32, Timestamp> = BTreeMap::new();
        let (mut is_asking, mut noise) = (false, String::new());
        let read = async {
            while let Ok(Some(line)) = lines.next_line().await {
                let now = Timestamp::now();
                if let Some(number) = line.strip_prefix("ask\t").and_then(|number| number.parse().ok()) {
                    asked.insert(number, now);
                    continue;
                }
                match read_line(&line, self.question.identity.as_ref()) {
                    Reading::Tool { name, .. } if name == "none" => {
                        return Some(NO_TOOL.to_owned());
                    }
                    Reading::Tool { name, .. } => {
                        is_asking = true;
                        self.tell(Heard::Asks { observer, with: name });
                    }
                    Reading::Answer { number, answer } => {
                        let Ok(shard) = u32::try_from(number) else { continue };
                        let Some(asked_at) = asked.remove(&shard) else { continue };
                        let is_stranger = |identity: &str| {
                            self.survey.wants_identity && identity != self.survey.pod_name(shard)
                        };
                        let mark = answer.outcome.mark(is_stranger);
                        self.tell(Heard::Answer { observer, shard, asked_at, mark });
                    }
                    Reading::Resolver(_) => {}
                    Reading::Noise(line) => noise = line,
                }
            }
            None
        };
        let life = tokio::time::timeout(SESSION_LIFE, async {
            // A process that never began may never close its output.
            let ended = async {
                match status {
                    Some(status) => status.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = written => Ok(None),
                never = read => never.map_or(Ok(None), Err),
                status = ended => Ok(status.and_then(|status| status.message)),
            }
        });
        match life.await {
            Err(_) => End::Broke(None),
            Ok(Err(never)) => End::Never(never),
            Ok(Ok(said)) if is_asking => {
                // Killed as its pod ends, or for want of memory: whether another comes tells which.
                let was_killed =
                    said.as_ref().is_some_and(|said| KILLED.iter().any(|code| said.contains(code)));
                End::Broke(Some(if was_killed {
                    WAS_KILLED.to_owned()
                } else {
                    said.unwrap_or_else(|| "the session ended".to_owned())
                }))
            }
            Ok(Ok(said)) => match why_no_shell(&said.unwrap_or(noise).replace(pod.as_str(), "POD")) {
                why if why.contains("no shell") => End::Never(why),
                why => End::Broke(Some(why)),
            },
        }
    }

    /// Asks a shard through port-forward, for ever.
    async fn ask_directly(&self, ordinal: u32) {
        self.tell(Heard::Asks { observer: Observer::Here, with: "port-forward".to_owned() });
        let identity =
            |identity: &str| self.survey.wants_identity && identity != self.survey.pod_name(ordinal);
        loop {
            let asked_at = Timestamp::now();
            // Where there is no way to it nobody knows how it is.
            if let Ok(answer) = self.cluster.ask_directly(&self.survey, &self.question, ordinal).await {
                let mark = answer.outcome.mark(identity);
                self.tell(Heard::Answer { observer: Observer::Here, shard: ordinal, asked_at, mark });
            }
            tokio::time::sleep(self.pause).await;
        }
    }
}

/// The shards that one asks: every other, beginning with the next one, so that those who ask at the same time do not ask
/// the same.
fn others(shards: u32, asker: u32) -> Vec<u32> {
    match shards {
        0 | 1 => vec![asker],
        _ => (1..shards).map(|step| (asker + step) % shards).collect(),
    }
}

/// Workers of a session that asks so many.
fn workers(questions: usize) -> usize {
    questions.clamp(1, WORKERS)
}

/// How long a worker rests between its questions, so that each shard is asked once in `every`, and no more than `qps`
/// questions a second are asked by all.
fn rest(shards: u32, qps: u32, every: Duration) -> Duration {
    let questions = others(shards, 0).len();
    let turns = questions.div_ceil(workers(questions));
    let all = count(questions) * f64::from(shards.max(1));
    let round = every.as_secs_f64().max(all / f64::from(qps.max(1)));
    Duration::from_secs_f64(round / count(turns))
}

fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// When each worker begins: not all at once, neither those of a session nor those of all.
fn offsets(shards: u32, asker: u32, workers: usize, pause: Duration) -> Vec<Duration> {
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    let share =
        |worker: u32| (f64::from(worker) + f64::from(asker) / f64::from(shards.max(1))) / f64::from(workers);
    (0..workers).map(|worker| pause.mul_f64(share(worker))).collect()
}

/// The script of a session.
fn script(survey: &Survey, question: &RoutingQuestion, pause: Duration, asker: u32) -> String {
    let others = others(survey.replicas, asker).into_iter();
    let names: Vec<String> = others.map(|ordinal| line_about(survey, question, ordinal)).collect();
    let workers = workers(names.len());
    let round = pause.as_secs_f64().max(0.001) * count(names.len().div_ceil(workers));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rounds")]
    let rounds = (SESSION_LIFE.as_secs_f64() / round).ceil() as u64 + 1;
    let offsets: Vec<String> = offsets(survey.replicas, asker, workers, pause)
        .iter()
        .map(|offset| format!("{:.3}", offset.as_secs_f64()))
        .collect();
    // All but what begins it.
    let head = |script: &'static str, last: &str| script.rsplit_once(last).map_or(script, |(head, _)| head);
    let mut script = String::new();
    let _ = write!(
        script,
        "TIMEOUT={}\nWORKERS={workers}\nPAUSE={}\nOFFSETS='{}'\nROUNDS={rounds}\nTOOL=\nDOMAIN={}\nASK={}\n\
         PYTHON={}\n{}\n{WATCH_SH}",
        question.timeout.as_secs().max(1),
        pause.as_millis(),
        offsets.join(" "),
        quoted(question.domain.as_deref().unwrap_or_default()),
        quoted(&names.join("\n")),
        quoted(&format!("{}\n{WATCH_PY}", head(ROW_PY, "\nwith "))),
        head(ROW_SH, "\nmain "),
    );
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_is_asked_once_in_the_interval_and_no_more_often_than_allowed() {
        let second = Duration::from_secs(1);
        assert_eq!((others(1, 0), others(4, 2)), (vec![0], vec![3, 0, 1]));
        // Five others, a worker each.
        assert_eq!(rest(6, 500, second), second);
        // Nine others, of which one worker has two.
        assert_eq!(rest(10, 500, second), second / 2);
        // A hundred shards would ask 9,900 questions a second.
        let round = rest(100, 500, second) * 13;
        assert!((round.as_secs_f64() - 19.8).abs() < 0.01, "{round:?}");
    }

    #[test]
    fn those_who_ask_do_not_begin_at_the_same_time() {
        let mut all: Vec<Duration> =
            (0..4).flat_map(|asker| offsets(4, asker, 3, Duration::from_secs(1))).collect();
        all.sort();
        let apart = all.windows(2).map(|two| two[1].saturating_sub(two[0])).min().expect("pairs");
        assert!(apart > Duration::from_millis(80), "{all:?}");
    }
}
