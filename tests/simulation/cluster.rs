//! The simulated cluster as an operation sees it.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shardctl::domain::rolling::{ExactPod, Gate, ObjectRef, Observed, PatchOperation, Run};
use shardctl::ops::{Approved, CallError, Cluster};

use crate::checker::Guarantee;
use crate::schedule::Ms;
use crate::world::objects::{ms, timestamp};
use crate::world::{Event, Reply, Request, World};

/// A process that sees the same again and again while no time passes runs in circles.
const CIRCLES: u32 = 500;

/// The cluster, as one process sees it.
pub struct SimCluster {
    pub world: Rc<RefCell<World>>,
    pub process: usize,
}

impl SimCluster {
    pub async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let call = self.world.borrow_mut().send(self.process, request);
        Answer { world: &self.world, call }.await
    }
}

/// The answer to a call; it never comes to a process that is dead.
struct Answer<'a> {
    world: &'a RefCell<World>,
    call: Option<usize>,
}

impl Future for Answer<'_> {
    type Output = Result<Reply, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(id) = self.call else { return Poll::Pending };
        let mut world = self.world.borrow_mut();
        let call = &mut world.calls[id];
        if call.is_answered
            && let Some(answer) = call.answer.take()
        {
            return Poll::Ready(answer);
        }
        call.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A while; or until there is news, where that is waited for.
struct While<'a> {
    cluster: &'a SimCluster,
    until: Ms,
    for_news: bool,
    is_set: bool,
}

impl Future for While<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let cluster = self.cluster;
        let mut world = cluster.world.borrow_mut();
        let is_news = self.for_news && world.view.known_version() > world.processes[cluster.process].seen;
        if world.now >= self.until || is_news {
            return Poll::Ready(());
        }
        if self.for_news {
            world.view.watch_for_news(context.waker());
        }
        if !self.is_set {
            self.is_set = true;
            let delay = self.until - world.now;
            world.after(delay, Event::Wake(context.waker().clone()));
        }
        Poll::Pending
    }
}

impl Cluster for SimCluster {
    fn now(&self) -> Timestamp {
        timestamp(self.world.borrow().now)
    }

    fn seen(&self) -> Arc<Observed> {
        let world = &mut *self.world.borrow_mut();
        let version = world.view.known_version();
        let process = &mut world.processes[self.process];
        process.seen = version;
        process.seen_times = if process.seen_at == world.now { process.seen_times + 1 } else { 0 };
        process.seen_at = world.now;
        if process.seen_times > CIRCLES {
            world.checker.violate(Guarantee::Ends, "the process runs in circles while no time passes");
        }
        world.seen()
    }

    async fn look(&self) -> Result<(), CallError> {
        self.call(Request::Look).await.map(drop)
    }

    async fn changed(&self, until: Option<Timestamp>) {
        let until = until.map_or(Ms::MAX / 2, ms);
        // A process that runs in circles gets no further.
        if self.world.borrow().checker.violation.is_some() {
            std::future::pending::<()>().await;
        }
        While { cluster: self, until, for_news: true, is_set: false }.await;
    }

    async fn pause(&self, duration: Duration) {
        let until = self.world.borrow().now + Ms::try_from(duration.as_millis()).unwrap_or(Ms::MAX / 2);
        While { cluster: self, until, for_news: false, is_set: false }.await;
    }

    fn holds_lock(&self) -> bool {
        !self.world.borrow().processes[self.process].has_lost_lock
    }

    async fn save(&self, run: &Run) -> Result<(), CallError> {
        self.call(Request::Save(Rc::new(run.clone()))).await.map(drop)
    }

    async fn ask(&self, _: &Gate, pods: &[(u32, ExactPod)]) -> Vec<Result<(), String>> {
        match self.call(Request::Ask(pods.to_vec())).await {
            Ok(Reply::Answers(answers)) => answers,
            _ => vec![Err("no answer".to_owned()); pods.len()],
        }
    }

    async fn read(&self, object: &ObjectRef) -> Result<Option<Value>, CallError> {
        match self.call(Request::Read(object.clone())).await? {
            Reply::Object(object) => Ok(object),
            _ => Ok(None),
        }
    }

    async fn patch(
        &self,
        _: &Approved,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<(), CallError> {
        self.call(Request::Patch(object.clone(), operations.to_vec())).await.map(drop)
    }

    async fn create(&self, _: &Approved, object: &Value) -> Result<(), CallError> {
        self.call(Request::Create(object.clone())).await.map(drop)
    }

    async fn remove(&self, _: &Approved, object: &ObjectRef) -> Result<(), CallError> {
        self.call(Request::Remove(object.clone())).await.map(drop)
    }

    async fn delete_pod(&self, _: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        self.call(Request::Delete(pod.clone(), true)).await.map(drop)
    }

    async fn evict(&self, _: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        self.call(Request::Evict(pod.clone())).await.map(drop)
    }

    async fn placeholders(&self, _: &Run) -> Result<Vec<ObjectRef>, CallError> {
        match self.call(Request::Placeholders).await? {
            Reply::Names(names) => Ok(names),
            _ => Ok(Vec::new()),
        }
    }
}
