//! `shardctl verify`

mod command;
mod nodes;
mod pools;
mod rights;
mod shards;
mod surroundings;
mod template;

use crate::Test;
use crate::lab::{Lab, Service};

/// The tests of this folder.
pub const TESTS: &[&[Test]] = &[
    shards::TESTS,
    template::TESTS,
    surroundings::TESTS,
    nodes::TESTS,
    pools::TESTS,
    rights::TESTS,
    command::TESTS,
];

/// One thing broken, the checks that must say so and no others, and how it is mended.
type Case = (&'static str, fn(&Service<'_>), &'static [&'static str], fn(&Service<'_>));

/// Breaks and mends one service in one way after another. It is without findings before, between and after.
fn each_is_found_and_mended(lab: &Lab, purpose: &str, cases: &[Case]) {
    let service = lab.service(purpose);
    service.deploy("stable");
    all(&service, cases);
}

/// The same on a service that is there.
fn all(service: &Service<'_>, cases: &[Case]) {
    service.expect("a healthy service", &[]);
    for (name, break_it, expected, mend) in cases {
        break_it(service);
        service.expect(name, expected);
        mend(service);
        service.expect(&format!("{name}, mended"), &[]);
    }
}
