//! Commands on real kubelets, containers, network and DNS.
//!
//! One lab of the real tier is started before the tests and taken down after them. Where the machine cannot run one, each
//! test is reported as skipped, with the reason. In CI, where what is missing could be installed, that is a failure.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod commands;
mod faults;
mod health;
mod lab;
mod life;
mod names;
mod network;
mod probe;
mod rolling;
mod routing;
mod service;
mod tier;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use lab::{Lab, why_not};
use libtest_mimic::{Arguments, Failed, Trial};

/// A test on the lab.
pub type Test = (&'static str, fn(&Lab));

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Faults are those of nodes, which all tests share.
    arguments.test_threads = Some(1);
    let all = [
        // They empty nodes, also of the ring that the others share: there is none yet.
        rolling::TESTS,
        network::TESTS,
        life::TESTS,
        commands::TESTS,
        faults::TESTS,
        health::TESTS,
        routing::TESTS,
        names::TESTS,
        service::TESTS,
        probe::TESTS,
        watch::TESTS,
        tier::TESTS,
    ]
    .concat();
    let is_wanted = |name: &str| match &arguments.filter {
        Some(filter) if arguments.exact => name == filter,
        Some(filter) => name.contains(filter.as_str()),
        None => true,
    };
    if arguments.list || !all.iter().any(|(name, _)| is_wanted(name)) {
        return libtest_mimic::run(&arguments, trials(&all, None)).exit_code();
    }
    match why_not() {
        Ok(None) => {}
        Ok(Some(reason)) => return libtest_mimic::run(&arguments, skipped(&all, &reason)).exit_code(),
        Err(reason) => {
            complain(&format!("the tests on real nodes must run in CI, and cannot: {reason}"));
            return ExitCode::FAILURE;
        }
    }
    let lab = Arc::new(Lab::start());
    let conclusion = libtest_mimic::run(&arguments, trials(&all, Some(&lab)));
    if conclusion.num_failed > 0 {
        complain(&lab.state());
    }
    lab.stop();
    conclusion.exit_code()
}

fn trials(all: &[Test], lab: Option<&Arc<Lab>>) -> Vec<Trial> {
    all.iter()
        .map(|(name, test)| {
            let (lab, test) = (lab.cloned(), *test);
            Trial::test(*name, move || {
                let lab = lab.ok_or_else(|| Failed::from("there is no lab"))?;
                let mending = Mending(&lab);
                test(&lab);
                drop(mending);
                Ok(())
            })
        })
        .collect()
}

/// Mends the lab when a test fails: the next one is to see its own faults only.
struct Mending<'a>(&'a Lab);

impl Drop for Mending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.mend();
        }
    }
}

fn skipped(all: &[Test], reason: &str) -> Vec<Trial> {
    let kind = format!("skipped: {reason}");
    all.iter()
        .map(|(name, _)| Trial::test(*name, || Ok(())).with_kind(kind.clone()).with_ignored_flag(true))
        .collect()
}

#[expect(clippy::print_stderr, reason = "what a person reads beside the results")]
fn complain(text: &str) {
    eprintln!("{text}");
}
