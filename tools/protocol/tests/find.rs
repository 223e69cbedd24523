// SPDX-License-Identifier: BSD-2-Clause
//! The C reader of the find page against the server's own writer.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};

use ioasid_api::{Field, FindWriter, Handle};

/// Looks up ids 1 to 40, in generations 0 and 1, in a page of four buckets and a half.
const READER: &str = r#"
#include <ioasid/find.h>
#include <inttypes.h>
#include <stdio.h>
int main(void)
{
    static uint64_t memory[36];
    if (fread(memory, sizeof memory, 1, stdin) != 1) {
        return 1;
    }
    for (uint32_t pasid = 1; pasid <= 40; pasid++) {
        for (uint16_t generation = 0; generation < 2; generation++) {
            uint64_t data;
            if (ioasid_find_in_page(memory, sizeof memory, ioasid_handle(pasid, generation, 1), &data)) {
                printf("%" PRIx64 " %" PRIu64 "\n", ioasid_handle(pasid, generation, 1), data);
            }
        }
    }
    uint64_t data;
    if (ioasid_find_in_page(memory, sizeof memory, 0, &data)) {
        puts("found no id");
    }
    if (ioasid_find_in_page(memory, 63, ioasid_handle(1, 0, 1), &data)) {
        puts("found in a page too small for a bucket");
    }
    return 0;
}
"#;

fn id(pasid: u32) -> Handle {
    Handle { pasid, generation: u16::from(pasid.is_multiple_of(3)), epoch: 1 }
}

#[test]
fn what_the_server_writes_is_found() {
    let memory = [const { AtomicU64::new(0) }; 36];
    let mut writer = FindWriter::new(&memory);
    // Four buckets of four: 16 of these ids have room.
    (11..=27).for_each(|pasid| writer.insert(id(pasid), u64::from(pasid) * 100));
    writer.remove(id(16));
    writer.set_data(id(14), 7);
    let bytes: Vec<u8> = memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    let output = common::run(READER, &bytes);
    let expected = (11..27).filter(|&pasid| pasid != 16).map(|pasid| {
        let data = if pasid == 14 { 7 } else { u64::from(pasid) * 100 };
        format!("{:x} {data}", id(pasid).to_word())
    });
    assert!(output.lines().eq(expected), "{output}");
}
