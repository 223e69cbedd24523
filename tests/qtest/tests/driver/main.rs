// SPDX-License-Identifier: BSD-2-Clause
//! What the driver must do, as tests that run unchanged on QEMU 10, on QEMU 7.2 (feature `qemu-7`) and on the
//! fake. Their numbers are those of the list in docs/vtd.md.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails that must not")]

mod bindings;
mod entries;
mod faults;
mod mappings;
mod queue;
mod random;
mod stages;

/// Runs tests on every platform that has what they need.
macro_rules! on_every_platform {
    ($($module:ident :: $test:ident),* $(,)?) => {
        mod qemu_10 {
            $(#[test] fn $test() { crate::$module::$test::<qtest::Qemu10>(); })*
        }
        #[cfg(feature = "qemu-7")]
        mod qemu_7 {
            $(#[test] fn $test() { crate::$module::$test::<qtest::Qemu7>(); })*
        }
        mod fake {
            $(#[test] fn $test() { crate::$module::$test::<qtest::OnFake>(); })*
        }
    };
}

on_every_platform! {
    bindings::t01_each_pasid_lands_in_its_own_page,
    bindings::t02_rid_pasid_changes_when_the_context_is_invalidated,
    bindings::t03_after_free_dma_faults_and_changes_nothing,
    bindings::t04_the_neighbour_still_works,
    bindings::t05_a_new_table_without_a_flush_writes_the_old_page,
    bindings::t06_the_flush_has_to_name_the_old_domain,
    bindings::t08_an_absent_directory_entry_denies,
    bindings::t09_an_entry_that_is_not_present_denies,
    bindings::t12_a_pasid_beyond_the_directory_is_refused,
    bindings::t22_a_table_shared_by_two_devices_is_flushed_for_both,
    bindings::t23_functions_from_0x80_on_have_their_own_half,
    bindings::t27_translation_goes_off_and_on,
    bindings::replace_moves_and_keeps_what_it_cannot_move,
    bindings::untagged_requests_run_in_the_untagged_entry,
    bindings::reserved_memory_is_reached_from_the_start,
    bindings::a_new_life_starts_from_nothing,
    bindings::detaching_denies_and_gives_every_frame_back,
    bindings::a_suspended_device_reaches_nothing_until_it_is_resumed,
    entries::t10_unknown_translation_types_and_widths_deny,
    entries::t13_reserved_bits_in_root_and_context_deny,
    entries::t14_unreadable_tables_deny,
    mappings::t07_a_cleared_page_needs_its_flush,
    mappings::t11_read_only_and_write_only_pages,
    mappings::t24_dma_across_into_an_unmapped_page,
    mappings::t25_large_and_huge_pages,
    mappings::t26_addresses_out_of_range,
    mappings::unmapping_a_part_splits_a_large_page,
    mappings::merging_changes_nothing_but_the_size_of_pages,
    mappings::a_failed_mapping_changes_nothing,
    faults::t17_faults_are_not_recorded_where_they_are_disabled,
    faults::t18_overflow_is_recovered_from,
    faults::t19_the_fault_event_waits_while_masked,
    faults::a_storm_is_silenced_and_the_others_are_still_heard,
    faults::revoking_takes_away_what_a_fault_came_through,
    queue::t20_a_bad_descriptor_is_recovered_from,
    queue::t21_the_queue_wraps,
    queue::a_batch_is_torn_down_together,
    random::t28_random_operations_agree_with_a_model,
    random::t28_two_hundred_devices_agree_with_a_model,
    stages::t15_pass_through_and_back,
}

/// QEMU 7.2 has no first stage.
mod first_stage {
    #[test]
    fn t16_first_stage_on_qemu_10() {
        crate::stages::t16_first_stage::<qtest::Qemu10>();
    }
    #[test]
    fn t16_first_stage_on_the_fake() {
        crate::stages::t16_first_stage::<qtest::OnFake>();
    }
}
