// SPDX-License-Identifier: BSD-2-Clause
//! A new life of the server: nothing is allowed, and nobody's old handle means anything.

use ioasid_client::{Access, Code, Error, Extent, RegionOffset};
use service_rig::{Grant, Machine};

const DEVICE: u16 = 0x18;

#[test]
fn s95_after_a_restart_all_is_denied_and_stale_clients_are_told() {
    let mut machine = Machine::new(&[Grant::new("driver").device(DEVICE)]);
    let page = Extent { pages: 1, access: Access::ReadWrite };
    let id = {
        let service = machine.start();
        let client = service.client("driver");
        let id = client.alloc(1..=100, 0).unwrap();
        client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, page).unwrap();
        client.bind(id, 0).unwrap();
        assert!(service.device(DEVICE).read_to(None, 0x1000, 0, 1));
        id
    };
    let service = machine.start();
    assert!(!service.device(DEVICE).read_to(None, 0x1000, 0, 1));
    // Whoever does not know yet: its first call says so.
    let find = ioasid_api::Call::encode(&ioasid_api::Find { pasid: id.pasid });
    assert_eq!(service.send(0, find.label, find.words()).label, Code::ServerRestarted.to_label());
    // Whoever has said HELLO anew can rebuild, and its old handles stay what they are: of another life.
    let client = service.client("driver");
    assert_eq!(client.free(id), Err(Error::Refused(Code::ServerRestarted)));
    let id = client.alloc(1..=100, 0).unwrap();
    client.map(id, 0x1000, RegionOffset { region: 0, offset: 0 }, page).unwrap();
    client.bind(id, 0).unwrap();
    assert!(service.device(DEVICE).read_to(None, 0x1000, 0, 1));
}
