//! The API server: calls on their way, what they do, and what is answered.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use serde_json::{Value, json};
use shardctl::domain::rolling::{ExactPod, ObjectRef, Observed, PatchOperation, Run};
use shardctl::ops::{CallError, CallFailure};

use super::objects::{NAMESPACE, PodKey, Wants, budget_ref, placeholder_key};
use super::{Cause, Event, Journal, World};
use crate::schedule::{CallFault, Fault, Ms};
use crate::story::Who;

/// What is asked of the server.
#[derive(Clone, Debug)]
pub enum Request {
    Look,
    Read(ObjectRef),
    Placeholders,
    Save(Rc<Run>),
    Ask(Vec<(u32, ExactPod)>),
    Patch(ObjectRef, Vec<PatchOperation>),
    Create(Value),
    Remove(ObjectRef),
    /// Whether the server is to make sure that it is exactly this pod.
    Delete(ExactPod, bool),
    Evict(ExactPod),
}

impl Request {
    /// Whether it changes the cluster. The journal is our own.
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Look | Self::Read(_) | Self::Placeholders | Self::Save(_) | Self::Ask(_))
    }

    fn in_words(&self) -> String {
        match self {
            Self::Look => "look".to_owned(),
            Self::Read(object) => format!("read {object}"),
            Self::Placeholders => "list the placeholders".to_owned(),
            Self::Save(run) => {
                format!("save: {:?} {:?}, deleted {:?}", run.state, run.stage, run.deleted)
            }
            Self::Ask(pods) => {
                format!("ask {:?}", pods.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>())
            }
            Self::Patch(object, operations) => {
                let paths: Vec<String> = operations
                    .iter()
                    .map(|operation| match operation {
                        PatchOperation::Add { path, value } | PatchOperation::Replace { path, value } => {
                            format!("{path} = {value}")
                        }
                        PatchOperation::Remove { path } => format!("{path} removed"),
                    })
                    .collect();
                format!("patch {object}: {}", paths.join("; "))
            }
            Self::Create(object) => format!(
                "create {} {}",
                object["kind"].as_str().unwrap_or_default(),
                object["metadata"]["name"].as_str().unwrap_or_default()
            ),
            Self::Remove(object) => format!("remove {object}"),
            Self::Delete(pod, _) => {
                format!("delete pod/{} ({}, {})", pod.name, pod.uid, pod.resource_version)
            }
            Self::Evict(pod) => format!("evict pod/{}", pod.name),
        }
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Done,
    Object(Option<Value>),
    Names(Vec<ObjectRef>),
    Answers(Vec<Result<(), String>>),
}

/// A call on its way.
pub struct Call {
    pub process: usize,
    request: Option<Request>,
    fault: Option<CallFault>,
    /// What the checker has against it, if it takes effect.
    objection: Option<crate::checker::Violation>,
    /// What a look has read.
    seen: Option<(Arc<Observed>, u64)>,
    pub answer: Option<Result<Reply, CallError>>,
    pub is_answered: bool,
    pub waker: Option<Waker>,
}

impl World {
    /// Sends a call; none when the process dies of it.
    pub fn send(&mut self, process: usize, request: Request) -> Option<usize> {
        let id = self.calls.len();
        let number = u32::try_from(id).unwrap_or(u32::MAX);
        self.say(Who::Process(process), || format!("[{number}] {}", request.in_words()));
        let schedule = Rc::clone(&self.schedule);
        let (mut fault, mut freeze) = (None, None);
        for planned in &schedule.faults {
            match planned {
                _ if self.is_mended => {}
                Fault::Crash { call, is_after_effect: false } if *call == number => {
                    self.dies(process);
                }
                Fault::Freeze { call, lasts } if *call == number => freeze = Some(*lasts),
                Fault::Call { call, how } if *call == number => fault = Some(self.fits(*how, &request)),
                _ => {}
            }
        }
        let is_dead = self.processes[process].is_dead;
        let objection = if is_dead { None } else { self.object_to(process, &request) };
        // It stands still right after it has sent the call.
        if let Some(lasts) = freeze {
            self.freeze(process, lasts);
        }
        self.calls.push(Call {
            process,
            request: (!is_dead).then_some(request),
            fault,
            objection,
            seen: None,
            answer: None,
            is_answered: false,
            waker: None,
        });
        if is_dead {
            return None;
        }
        let process = &mut self.processes[process];
        process.under_way += 1;
        if process.under_way == 1 {
            // One call right after the other is one time of being busy.
            match process.busy.last_mut() {
                Some((_, until)) if *until == self.now => *until = Ms::MAX,
                _ => process.busy.push((self.now, Ms::MAX)),
            }
        }
        let delay = match fault {
            Some(CallFault::Slow(lasts)) => lasts / 2,
            _ => self.draw(1, 8),
        };
        if let Some(CallFault::Late(late)) = fault {
            self.after(delay + late, Event::Arrive(id));
            self.after(delay, Event::Answer(id));
        } else {
            self.after(delay, Event::Arrive(id));
        }
        Some(id)
    }

    /// A fault as it can befall this request.
    fn fits(&mut self, how: CallFault, request: &Request) -> CallFault {
        let is_delete = matches!(request, Request::Delete(..));
        let how = match how {
            // The pods themselves are asked; that is another fault.
            _ if matches!(request, Request::Ask(_)) => CallFault::Slow(50),
            // What comes late is refused by then if it names the version that it was made for. A placeholder that comes
            // late cannot be told from one that never comes; it ends by itself.
            CallFault::Late(_) if !is_delete => CallFault::LostBefore,
            // The journal is written by its holder only.
            CallFault::Collision if !is_delete && !matches!(request, Request::Patch(..)) => {
                CallFault::Busy(0)
            }
            _ => how,
        };
        let cause = if matches!(how, CallFault::Slow(_)) { Cause::SlowCall } else { Cause::Call };
        self.causes.insert(cause);
        how
    }

    fn dies(&mut self, process: usize) {
        self.say(Who::Process(process), || "dies".to_owned());
        self.processes[process].is_dead = true;
        self.causes.insert(Cause::Crashed);
    }

    fn freeze(&mut self, process: usize, lasts: Ms) {
        self.say(Who::Process(process), || format!("stands still for {lasts} ms"));
        self.causes.insert(Cause::Frozen);
        self.processes[process].frozen_until = self.now + lasts;
        self.after(lasts, Event::Thaw);
        // The lock is not renewed meanwhile: 20 s later it is not trusted, 30 s later others may take it.
        if lasts >= 20_000 {
            self.processes[process].has_lost_lock = true;
            self.causes.insert(Cause::LockLost);
            self.after(lasts.min(30_000), Event::TakeOver);
        }
    }

    /// A call reaches the server.
    pub(super) fn arrive(&mut self, id: usize) {
        let call = &mut self.calls[id];
        let Some(request) = call.request.take() else { return };
        let (process, fault) = (call.process, call.fault);
        let operation = || request.in_words();
        let lost = |message: &str| Err(CallError::new(operation(), CallFailure::Unclear, message));
        let answer = match fault {
            Some(CallFault::Busy(after)) => {
                let after = (after > 0).then(|| Duration::from_millis(after));
                Err(CallError::new(operation(), CallFailure::Busy(after), "too many requests"))
            }
            Some(CallFault::LostBefore) => lost("connection reset"),
            Some(CallFault::Refused) => {
                Err(CallError::new(operation(), CallFailure::Refused, "admission webhook denied the request"))
            }
            Some(CallFault::LostAfter | CallFault::Late(_)) => {
                drop(self.carry_out(id, process, &request));
                lost("connection reset after it was sent")
            }
            Some(CallFault::Collision) => {
                self.collide(&request);
                self.carry_out(id, process, &request)
            }
            Some(CallFault::Slow(_)) | None => self.carry_out(id, process, &request),
        };
        if let Err(error) = &answer {
            let error = error.clone();
            self.say(Who::Server, || format!("[{id}] {:?}: {}", error.failure, error.message));
        }
        if let (Request::Delete(pod, _), Err(error)) = (&request, &answer)
            && error.failure != CallFailure::Unclear
            && let Some(PodKey::Shard(ordinal)) = PodKey::parse(pod.name.as_str())
        {
            self.checker.not_deleted(ordinal, &pod.uid);
        }
        let number = u32::try_from(id).unwrap_or(u32::MAX);
        let schedule = Rc::clone(&self.schedule);
        let is_crash = |fault: &Fault| *fault == Fault::Crash { call: number, is_after_effect: true };
        if !self.is_mended && schedule.has(is_crash) {
            self.dies(process);
        }
        if matches!(fault, Some(CallFault::Late(_))) {
            return;
        }
        self.calls[id].answer = Some(answer);
        let delay = match fault {
            Some(CallFault::Slow(lasts)) => lasts / 2,
            _ => self.draw(1, 4),
        };
        self.after(delay, Event::Answer(id));
    }

    pub(super) fn answer(&mut self, id: usize) {
        let now = self.now;
        let call = &mut self.calls[id];
        if call.is_answered {
            return;
        }
        call.is_answered = true;
        if let (None, Some(request)) = (&call.answer, &call.request) {
            let lost = CallError::new(request.in_words(), CallFailure::Unclear, "timed out");
            call.answer = Some(Err(lost));
        }
        let (process, waker, seen) = (call.process, call.waker.take(), call.seen.take());
        let process = &mut self.processes[process];
        process.under_way -= 1;
        if process.under_way == 0
            && let Some((_, until)) = process.busy.last_mut()
        {
            *until = now;
        }
        if let Some((seen, version)) = seen {
            self.processes[self.calls[id].process].looked_at = now;
            self.looked(seen, version);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Somebody else writes the object a moment before.
    fn collide(&mut self, request: &Request) {
        match request {
            Request::Patch(object, _) => {
                self.say(Who::Somebody, || format!("writes {object}"));
                let version = self.next_version();
                if let Some(live) = self.objects.get_mut(object) {
                    live["metadata"]["resourceVersion"] = json!(version.to_string());
                }
            }
            Request::Delete(pod, _) => {
                if let Some(key) = PodKey::parse(pod.name.as_str()) {
                    self.say(Who::Somebody, || format!("writes pod/{}", pod.name));
                    self.pod_changed(key);
                }
            }
            _ => {}
        }
    }

    fn carry_out(&mut self, id: usize, process: usize, request: &Request) -> Result<Reply, CallError> {
        let failed = |failure, message: &str| Err(CallError::new(request.in_words(), failure, message));
        match request {
            Request::Look => {
                let (seen, version) = (self.truth(), self.truth_version());
                self.calls[id].seen = Some((seen, version));
                Ok(Reply::Done)
            }
            Request::Read(object) => Ok(Reply::Object(self.object(object))),
            Request::Placeholders => Ok(Reply::Names(
                self.pods
                    .keys()
                    .filter(|key| matches!(key, PodKey::Place { .. }))
                    .map(|key| pod_ref(*key))
                    .collect(),
            )),
            Request::Save(run) => self.save(id, process, run).map(|()| Reply::Done),
            Request::Ask(pods) => {
                let answers = pods.iter().map(|(ordinal, pod)| {
                    let answer = self.is_well(*ordinal, &pod.uid);
                    self.checker.answered(self.now, *ordinal, &pod.uid, answer.is_ok());
                    answer
                });
                Ok(Reply::Answers(answers.collect()))
            }
            Request::Patch(object, operations) => {
                self.patch(process, object, operations).map(|()| Reply::Done)
            }
            Request::Create(object) => self.create(process, object).map(|()| Reply::Done),
            Request::Remove(object) => {
                match PodKey::parse(&object.name).filter(|_| object.kind == "Pod") {
                    Some(key @ PodKey::Place { .. }) => self.end_pod(key),
                    Some(_) => return failed(CallFailure::Refused, "this is no placeholder"),
                    None => drop(self.objects.remove(object)),
                }
                Ok(Reply::Done)
            }
            Request::Delete(pod, is_exact) => {
                let key = PodKey::parse(pod.name.as_str()).filter(|key| self.pods.contains_key(key));
                let Some(key) = key else { return failed(CallFailure::NotFound, "not found") };
                let live = self.pods[&key].exact();
                if *is_exact && live != *pod {
                    return failed(CallFailure::Conflict, "the precondition does not hold");
                }
                if self.pods[&key].ending.is_some() {
                    return Ok(Reply::Done);
                }
                let objection = self.calls[id].objection.take();
                if let PodKey::Shard(ordinal) = key {
                    self.checker.takes_down(self.now, ordinal, pod, &live, objection);
                }
                self.end_pod(key);
                Ok(Reply::Done)
            }
            Request::Evict(pod) => {
                let key = PodKey::parse(pod.name.as_str()).filter(|key| self.pods.contains_key(key));
                let Some(key) = key else { return failed(CallFailure::NotFound, "not found") };
                if self.pods[&key].uid != pod.uid {
                    return failed(CallFailure::Conflict, "the precondition does not hold");
                }
                if self.is_budget_full() {
                    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
                    return failed(CallFailure::Busy(None), message);
                }
                self.end_pod(key);
                Ok(Reply::Done)
            }
        }
    }

    /// An object as the server has it, with its status.
    fn object(&self, object: &ObjectRef) -> Option<Value> {
        let mut live = self.objects.get(object)?.clone();
        if object.kind == "StatefulSet" {
            live["metadata"]["generation"] = json!(self.set.generation);
            live["status"] = json!({
                "observedGeneration": self.set.observed,
                "updateRevision": self.set.revisions[self.set.known].name,
            });
        }
        Some(live)
    }

    /// Whether the disruption budget lets no other pod go.
    fn is_budget_full(&mut self) -> bool {
        let is_closed = |fault: &Fault| matches!(fault, Fault::BudgetIsFull { to } if self.now < *to);
        let is_relaxed =
            self.objects.get(&budget_ref()).and_then(|budget| budget.pointer("/spec/maxUnavailable"))
                == Some(&json!("100%"));
        let is_full = !self.is_mended && !is_relaxed && self.schedule.has(is_closed);
        if is_full {
            self.causes.insert(Cause::BudgetIsFull);
        }
        is_full
    }

    fn save(&mut self, id: usize, process: usize, run: &Rc<Run>) -> Result<(), CallError> {
        let operation = "write the journal";
        if self.journal.as_ref().is_some_and(|journal| journal.by > process) {
            let message = "another process has written it since";
            return Err(CallError::new(operation, CallFailure::Conflict, message));
        }
        // An older write of ours that comes late names an older version.
        if self.processes[process].saved > id {
            return Err(CallError::new(operation, CallFailure::Conflict, "an older write"));
        }
        self.processes[process].saved = id;
        self.journal = Some(Journal { run: Rc::clone(run), by: process });
        Ok(())
    }

    fn patch(
        &mut self,
        process: usize,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<(), CallError> {
        let failed =
            |failure, message: &str| Err(CallError::new(format!("patch {object}"), failure, message));
        let Some(live) = self.objects.get(object) else { return failed(CallFailure::NotFound, "not found") };
        let mut after = live.clone();
        let patch = serde_json::to_value(operations).and_then(serde_json::from_value::<json_patch::Patch>);
        let Ok(patch) = patch else { return failed(CallFailure::Refused, "no JSON patch") };
        if let Err(error) = json_patch::patch(&mut after, &patch) {
            return failed(CallFailure::Refused, &error.to_string());
        }
        let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
        if version(&after) != version(live) {
            return failed(CallFailure::Conflict, "the object has been modified");
        }
        let is_changed = after != *live;
        self.checker.patched(self.now, process, object, self.journal.as_ref().map(|journal| &*journal.run));
        if is_changed {
            self.rewrite(object, |live| *live = after);
        }
        Ok(())
    }

    fn create(&mut self, process: usize, object: &Value) -> Result<(), CallError> {
        let failed = |failure, message: &str| Err(CallError::new("create", failure, message));
        let journal = self.journal.as_ref().map(|journal| &*journal.run);
        if object["kind"] == "PriorityClass" {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let class = ObjectRef::new("scheduling.k8s.io/v1", "PriorityClass", None, name);
            if self.objects.contains_key(&class) {
                return failed(CallFailure::AlreadyExists, "already exists");
            }
            self.checker.created(self.now, process, object, journal);
            self.objects.insert(class, object.clone());
            return Ok(());
        }
        let Some(key) = placeholder_key(object) else {
            return failed(CallFailure::Refused, "this is no placeholder");
        };
        if self.pods.contains_key(&key) {
            return failed(CallFailure::AlreadyExists, "already exists");
        }
        self.checker.created(self.now, process, object, journal);
        let wants = Rc::new(Wants::of(&object["spec"]));
        self.insert_pod(key, wants, |_| ());
        self.wake_scheduler();
        Ok(())
    }

    /// What the checker has against a call, as things stand when it is sent.
    fn object_to(&mut self, process: usize, request: &Request) -> Option<crate::checker::Violation> {
        if !request.is_change() {
            return None;
        }
        if self.processes[process].has_lost_lock {
            let what = request.in_words();
            self.checker.wrote_without_lock(self.now, &what);
        }
        let Request::Delete(pod, _) = request else { return None };
        let PodKey::Shard(ordinal) = PodKey::parse(pod.name.as_str())? else { return None };
        let seen = self.seen();
        let journal = self.journal.as_ref().map(|journal| &*journal.run);
        let looked_at = self.processes[process].looked_at;
        self.checker.may_delete(self.now, ordinal, pod, &seen, journal, looked_at)
    }
}

fn pod_ref(key: PodKey) -> ObjectRef {
    ObjectRef::new("v1", "Pod", Some(NAMESPACE), key.name().as_str())
}
