//! Commands on the lab's real API server.
//!
//! One lab is started before the tests and taken down after them, whatever happens in between. Each test works in a
//! namespace of its own, with a service and node pools of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

#[path = "../support/proxy/mod.rs"]
mod fault_proxy;
#[path = "../support/outage/mod.rs"]
mod outage_watcher;
#[path = "../support/prices.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod price_service;
#[path = "../support/mod.rs"]
mod support;

mod breaking;
mod client;
mod costs;
mod delete;
mod deploy;
mod init;
mod lab;
mod outage;
mod packing;
mod plan;
mod proxy;
mod rolling;
mod status;
mod terrain;
mod verify;
mod vpa;

use std::process::ExitCode;
use std::sync::Arc;

use lab::Lab;
use libtest_mimic::{Arguments, Failed, Trial};

/// Tests under way at the same time. More would wait for the two cores that CI has.
const AT_ONCE: usize = 4;

/// A test on the lab.
pub type Test = (&'static str, fn(&Lab));

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let commands: [&[Test]; 6] =
        [deploy::TESTS, delete::TESTS, init::TESTS, client::TESTS, packing::TESTS, status::TESTS];
    let tools: [&[Test]; 6] =
        [vpa::TESTS, plan::TESTS, costs::TESTS, terrain::TESTS, proxy::TESTS, outage::TESTS];
    // The long ones first, so that none of them is left alone at the end.
    let all = [rolling::TESTS, &commands, verify::TESTS, &tools].concat();
    let is_wanted = |name: &str| match &arguments.filter {
        Some(filter) if arguments.exact => name == filter,
        Some(filter) => name.contains(filter.as_str()),
        None => true,
    };
    let wanted = all.iter().flat_map(|tests| tests.iter()).any(|(name, _)| is_wanted(name));
    if arguments.list || !wanted {
        return libtest_mimic::run(&arguments, trials(&all, None)).exit_code();
    }
    let lab = Arc::new(Lab::start());
    let conclusion = libtest_mimic::run(&arguments, trials(&all, Some(&lab)));
    lab.stop();
    conclusion.exit_code()
}

fn trials(all: &[&'static [Test]], lab: Option<&Arc<Lab>>) -> Vec<Trial> {
    all.iter()
        .flat_map(|tests| tests.iter())
        .map(|(name, test)| {
            let lab = lab.cloned();
            Trial::test(*name, move || {
                let lab = lab.ok_or_else(|| Failed::from("there is no lab"))?;
                test(&lab);
                Ok(())
            })
        })
        .collect()
}
