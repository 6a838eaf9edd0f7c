//! `shardctl deploy` and `shardctl delete`

use crate::Test;
use crate::lab::Lab;

/// The tests of this file.
pub const TESTS: &[Test] = &[("deploy::a_second_deploy_changes_nothing_and_says_so", again)];

fn again(lab: &Lab) {
    let service = lab.service("again");
    service.deploy("explore").said("created").said("is up: 3 of 3 shards");
    let set = service.get(&format!("statefulset/{}", service.name));
    service.deploy("explore").said("nothing was changed");
    let after = service.get(&format!("statefulset/{}", service.name));
    assert_eq!(set["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"]);
}
