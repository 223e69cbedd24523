// SPDX-License-Identifier: BSD-2-Clause
//! What is kept in the tree is what the tables give.

use protocol_export::DOCUMENTS;

#[test]
fn every_document_says_what_the_tables_say() {
    for document in DOCUMENTS {
        let path = document.path;
        assert!(
            document.is_fresh().unwrap(),
            "{path} is stale: run `cargo run -p protocol-export` to renew it"
        );
    }
}
