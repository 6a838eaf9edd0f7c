//! How far a probe is, and why it will not ask.

use jiff::{SignedDuration, Timestamp};

/// Who is alive removes a probe as soon as it has ended. This is for slow API servers, and for clocks that differ.
const LEFT_FOR: SignedDuration = SignedDuration::from_secs(15);

/// A probe as the cluster has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub name: String,
    pub uid: String,
    pub image: String,
    pub created_at: Option<Timestamp>,
    /// How long it may run, once its node knows of it.
    pub deadline: Option<SignedDuration>,
    pub state: ProbeState,
}

/// How far a probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It is there, and its node has not said a word of it.
    Made,
    /// Its container does not run yet: reason and message of what it waits for.
    Starting { waiting: Option<(String, String)> },
    /// It asks.
    Running,
    /// It has asked, and ended by itself.
    Done { at: Option<Timestamp> },
    /// It will not ask, or no longer: reason and message.
    Failed { at: Option<Timestamp>, reason: String, message: String },
}

impl Probe {
    /// Whether nobody waits for this probe any more: who made it is dead, or it would be gone.
    #[must_use]
    pub fn is_left_over(&self, now: Timestamp) -> bool {
        let is_past = |at: Option<Timestamp>, more: SignedDuration| {
            at.is_some_and(|at| now.duration_since(at) > more.saturating_add(LEFT_FOR))
        };
        let ended = match &self.state {
            ProbeState::Done { at } | ProbeState::Failed { at, .. } => {
                is_past(at.or(self.created_at), SignedDuration::ZERO)
            }
            ProbeState::Made | ProbeState::Starting { .. } | ProbeState::Running => false,
        };
        // A node that is dead ends nothing.
        ended || self.deadline.is_some_and(|deadline| is_past(self.created_at, deadline))
    }

    /// Whether it can be listened to, and if it never will, why not; none while that is open. `warnings` are those of its
    /// events: reason, message, and how often each was seen.
    #[must_use]
    pub fn standing(&self, warnings: &[(String, String, u32)]) -> Option<Result<(), String>> {
        match &self.state {
            ProbeState::Running | ProbeState::Done { .. } => Some(Ok(())),
            ProbeState::Failed { reason, message, .. } => Some(Err(why_it_failed(reason, message))),
            ProbeState::Starting { waiting: Some((reason, message)) }
                if NEVER_STARTS.contains(&reason.as_str()) =>
            {
                Some(Err(why_it_waits(reason, message, &self.image)))
            }
            // Once may be an accident.
            ProbeState::Made | ProbeState::Starting { .. } => warnings
                .iter()
                .find(|(reason, _, count)| reason == "FailedCreatePodSandBox" && *count > 1)
                .map(|(_, message, _)| Err(format!("its sandbox cannot be made: {}", innermost(message)))),
        }
    }
}

/// What a container waits for in vain: reasons of the kubelet (`pkg/kubelet/images/types.go`,
/// `pkg/kubelet/kuberuntime/kuberuntime_container.go`).
const NEVER_STARTS: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "ImageInspectError",
    "InvalidImageName",
    "RegistryUnavailable",
    "SignatureValidationFailed",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
];

fn why_it_waits(reason: &str, message: &str, image: &str) -> String {
    let about_image = ["Image", "Registry", "Signature"].iter().any(|word| reason.contains(word));
    match about_image {
        true => format!("its image {image} cannot be had: {}", innermost(message)),
        false => format!("its container cannot be made ({reason}): {}", innermost(message)),
    }
}

fn why_it_failed(reason: &str, message: &str) -> String {
    let lower = message.to_lowercase();
    match reason {
        "StartError" if lower.contains("not found") || lower.contains("no such file") => {
            "its image has no shell".to_owned()
        }
        _ if reason.starts_with("OutOf") => format!("its node has no room for it: {}", innermost(message)),
        "" => format!("it ended: {}", innermost(message)),
        _ if message.is_empty() => format!("it ended: {reason}"),
        _ => format!("it ended ({reason}): {}", innermost(message)),
    }
}

/// What a reason is cut to.
const REASON_LIMIT: usize = 200;

/// The words of whoever failed, without those of everybody who passed them on.
fn innermost(message: &str) -> String {
    const PASSED_ON: &[&str] = &[
        "rpc error",
        "failed to pull and unpack image",
        "failed to resolve reference",
        "failed to resolve image",
        "failed to do request",
        "Back-off pulling image",
        "ErrImagePull",
        "Head \"",
        "Get \"",
        "failed to generate container",
        "Pod was rejected",
        "Failed to apply default image tag",
        "couldn't parse image name",
    ];
    let words: Vec<&str> = message.split_whitespace().collect();
    let message = words.join(" ");
    let parts: Vec<&str> = message.split(": ").collect();
    let is_passed_on = |part: &&str| PASSED_ON.iter().any(|words| part.starts_with(words));
    let first = parts.iter().position(|part| !is_passed_on(part)).unwrap_or(parts.len().saturating_sub(1));
    // Which port it was asked from is another one each time: the same reason of several nodes is told once.
    let said: Vec<&str> = parts[first..].iter().copied().filter(|part| !part.contains("->")).collect();
    let said = said.join(": ");
    let said = said.split_once(" desc = ").map_or(said.as_str(), |(_, said)| said);
    said.chars().take(REASON_LIMIT).collect()
}
