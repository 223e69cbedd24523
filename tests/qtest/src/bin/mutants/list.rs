// SPDX-License-Identifier: BSD-2-Clause
//! The mutants: what a driver like this gets wrong, and which test would notice.

/// One way to be wrong.
pub struct Mutant {
    /// What is wrong.
    pub name: &'static str,
    /// In which file.
    pub file: &'static str,
    /// What the driver says.
    pub from: &'static str,
    /// What the mutant says.
    pub to: &'static str,
    /// Who notices: a test suite and a test.
    pub killer: &'static str,
}

const BINDINGS: &str = "drivers/vtd/src/unit/bindings.rs";
const DEVICES: &str = "drivers/vtd/src/unit/devices.rs";
const DOMAINS: &str = "drivers/vtd/src/unit/domains.rs";
const DOMAIN: &str = "drivers/vtd/src/domain.rs";
const FRAMES: &str = "drivers/vtd/src/frames.rs";
const PAGING: &str = "drivers/vtd/src/paging/table.rs";
const QUEUE: &str = "drivers/vtd/src/queue.rs";

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no context invalidation when requests are moved",
        file: DEVICES,
        from: "Result<(), Error> {\n        self.push(Descriptor::context(device))?;\n",
        to: "Result<(), Error> {\n",
        killer: "driver fake::t02_rid_pasid_changes_when_the_context_is_invalidated",
    },
    Mutant {
        name: "no IOTLB flush on free",
        file: BINDINGS,
        from: "self.push(Descriptor::iotlb_domain(item.domain))?;",
        to: "",
        killer: "driver qemu_10::replace_moves_and_keeps_what_it_cannot_move",
    },
    Mutant {
        name: "no IOTLB flush on free, and the domain id is used again",
        file: BINDINGS,
        from: "self.push(Descriptor::iotlb_domain(item.domain))?;",
        to: "",
        killer: "fake stages::a_domain_id_is_clean_when_it_is_used_again",
    },
    Mutant {
        name: "wrong domain in the flush",
        file: BINDINGS,
        from: "self.push(Descriptor::iotlb_domain(item.domain))?;",
        to: "self.push(Descriptor::iotlb_domain(DomainId(item.domain.get() + 1)))?;",
        killer: "driver qemu_10::replace_moves_and_keeps_what_it_cannot_move",
    },
    Mutant {
        name: "no flush on unmap",
        file: DOMAINS,
        from: "        self.forget_pages(domain, &record, range, left)\n    }\n\n    /// Merges",
        to: "        let (frames, stock) = self.stock(record.share)?;\n        stock.release(frames, left);\n        Ok(())\n    }\n\n    /// Merges",
        killer: "driver fake::t07_a_cleared_page_needs_its_flush",
    },
    Mutant {
        name: "no flush when a binding is replaced",
        file: BINDINGS,
        from: "        self.unbind(device, pasid)?;\n        self.publish",
        to: "        self.publish",
        killer: "driver fake::replace_moves_and_keeps_what_it_cannot_move",
    },
    Mutant {
        name: "no flush on map where absence is cached",
        file: "drivers/vtd/src/unit/filling.rs",
        from: "if self.unit.capabilities.caching_mode() {",
        to: "if false {",
        killer: "fake random::a_unit_that_caches_what_is_not_present",
    },
    Mutant {
        name: "only the present bit is cleared",
        file: BINDINGS,
        from: "                self.frames.write(address, PasidEntry::DENY);\n",
        to: "",
        killer: "driver fake::t03_after_free_dma_faults_and_changes_nothing",
    },
    Mutant {
        name: "no PASID-cache invalidation",
        file: BINDINGS,
        from: "            self.push(Descriptor::pasid_cache(item.domain, item.binding.pasid))?;\n",
        to: "",
        killer: "driver fake::t03_after_free_dma_faults_and_changes_nothing",
    },
    Mutant {
        name: "one domain id for several tables",
        file: DOMAIN,
        from: "let domain = DomainId(self.free);",
        to: "let domain = DomainId(1);",
        killer: "driver fake::t01_each_pasid_lands_in_its_own_page",
    },
    Mutant {
        name: "no fence between the PASID cache and the IOTLB",
        file: BINDINGS,
        from: "        self.fence()?;\n        let mut last",
        to: "        let mut last",
        killer: "fake random::a_unit_that_does_not_snoop",
    },
    Mutant {
        name: "no device-TLB invalidation on free",
        file: BINDINGS,
        from: "            self.push(Descriptor::pasid_device_tlb(device, pasid))?;\n",
        to: "",
        killer: "fake stages::a_device_tlb_is_emptied_when_an_id_goes",
    },
    Mutant {
        name: "no device-TLB invalidation on unmap",
        file: DOMAINS,
        from: "        self.push_device_tlbs()?;\n",
        to: "",
        killer: "fake stages::a_device_tlb_is_emptied_when_a_page_goes",
    },
    Mutant {
        name: "the present bit is not cleared before the flush",
        file: BINDINGS,
        from: "item.word0.with_present(false)",
        to: "item.word0",
        killer: "fake random::a_unit_that_does_not_snoop",
    },
    Mutant {
        name: "the completion is not awaited",
        file: QUEUE,
        from: "        self.ring(registers);\n\n        let mut confirmed = Ok(());",
        to: "        self.ring(registers);\n        return Ok(());\n        #[allow(unreachable_code)]\n        let mut confirmed = Ok(());",
        killer: "fake failures::a_lost_completion_keeps_the_id_in_quarantine",
    },
    Mutant {
        name: "an error of the queue is taken for done",
        file: QUEUE,
        from: "                confirmed = Err(Error::Unconfirmed);",
        to: "                confirmed = Ok(());",
        killer: "fake failures::a_refused_descriptor_is_not_taken_for_done",
    },
    Mutant {
        name: "a stuck queue is overwritten",
        file: QUEUE,
        from: "if after == self.head && !self.make_room(registers, after) {",
        to: "if false {",
        killer: "fake failures::a_queue_that_does_nothing_fills_up_and_is_never_overwritten",
    },
    Mutant {
        name: "cache lines are not flushed",
        file: FRAMES,
        from: "        self.flush(offset, N * 8);",
        to: "",
        killer: "driver fake::t01_each_pasid_lands_in_its_own_page",
    },
    Mutant {
        name: "the write buffer is not flushed",
        file: "drivers/vtd/src/unit/mod.rs",
        from: "        if !self.capabilities.cap().rwbf() {\n            return Ok(());\n        }",
        to: "        if !self.capabilities.cap().cm() {\n            return Ok(());\n        }",
        killer: "fake random::a_unit_with_a_write_buffer",
    },
    Mutant {
        name: "tables go back to the pool before they are forgotten",
        file: DOMAINS,
        from: "            Err(_) => stock.keep(frames, left),",
        to: "            Err(_) => stock.release(frames, left),",
        killer: "fake failures::an_unmapped_table_is_kept_until_hardware_has_forgotten_it",
    },
    Mutant {
        name: "the word that makes an entry present is written first",
        file: FRAMES,
        from: ".into_iter().enumerate().rev() {",
        to: ".into_iter().enumerate() {",
        killer: "fake random::a_unit_that_snoops",
    },
    Mutant {
        name: "empty tables are leaked",
        file: PAGING,
        from: "                change.drop(next, 0);\n",
        to: "",
        killer: "driver fake::t25_large_and_huge_pages",
    },
    Mutant {
        name: "an old table is taken as it is",
        file: "drivers/vtd/src/paging/stock.rs",
        from: "        frames.fill(table, end, 0, 0);\n",
        to: "",
        killer: "fake shares::what_a_share_was_used_for_leaves_no_trace_in_it",
    },
    Mutant {
        name: "the last entry of a table is not counted",
        file: "drivers/vtd/src/paging/leaf.rs",
        from: "        self.used += u16::try_from(count).unwrap_or(0);\n",
        to: "",
        killer: "fake shares::what_lies_side_by_side_is_mapped_as_it_is_one_by_one",
    },
    Mutant {
        name: "what was written into a table at hand is not flushed",
        file: "drivers/vtd/src/paging/leaf.rs",
        from: "            frames.flush_at(leaf.table + u64::from(first) * LINE * 8, bytes);\n",
        to: "",
        killer: "fake random::a_unit_that_does_not_snoop",
    },
    Mutant {
        name: "the interrupt range is mapped",
        file: DOMAINS,
        from: ".around(iova, &INTERRUPT_RANGE)",
        to: "",
        killer: "driver fake::t26_addresses_out_of_range",
    },
    Mutant {
        name: "pass-through is left as it is in the context",
        file: BINDINGS,
        from: "                self.push(Descriptor::context(item.binding.device))?;\n",
        to: "",
        killer: "driver qemu_10::t15_pass_through_and_back",
    },
];

#[cfg(test)]
mod tests {
    use super::MUTANTS;

    #[test]
    fn every_mutant_names_a_text_that_occurs_once() {
        let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for mutant in MUTANTS {
            let source = std::fs::read_to_string(workspace.join(mutant.file)).unwrap();
            assert_eq!(source.matches(mutant.from).count(), 1, "{}", mutant.name);
        }
    }
}
