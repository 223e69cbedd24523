// SPDX-License-Identifier: BSD-2-Clause
//! Providers behind custom allocators, as far as the service has to do with them.

use ioasid_client::{Code, Error};
use service_rig::{Grant, Machine};

#[test]
fn s23_whoever_waits_for_a_provider_that_goes_is_told_at_once() {
    let mut machine =
        Machine::new(&[Grant::new("a"), Grant::new("provider").provider(), Grant::new("admin").admin()]);
    let service = machine.start();
    let [client, admin] = ["a", "admin"].map(|name| service.client(name));
    admin.register_allocator(1, 0, 0, 0).unwrap();
    assert_eq!(client.alloc(1..=8, 0), Err(Error::Refused(Code::Pending)));
    assert!(!service.was_notified("a"));
    admin.unregister_allocator(1).unwrap();
    assert!(service.was_notified("a"));
    assert_eq!(client.alloc_result(), Err(Error::Refused(Code::ProviderFault)));
}
