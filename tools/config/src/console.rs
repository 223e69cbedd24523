// SPDX-License-Identifier: BSD-2-Clause
//! The console's directory: which domain's log ring is behind which channel, read off `system.xml` alone.

use log_ring::{Directory, Entry};
use sdf::{PdIndex, System};

/// The directory for the console domain `console`: for each of its channels, the region that it shares with the
/// domain at the other end.
#[must_use]
pub fn console_directory(system: &System, console: PdIndex) -> Directory {
    let mut directory = Directory::default();
    let ends = system.channels.iter().flat_map(|channel| channel.directions());
    for (own, other) in ends.filter(|(own, other)| *own.pd == console && *other.pd != console) {
        let writer = &system.protection_domains[*other.pd];
        let written = |region| writer.maps.iter().any(|map| map.perms.write && *map.region == region);
        let ring = system.protection_domains[console].maps.iter().find(|map| written(*map.region));
        if let (Some(ring), Ok(channel)) = (ring, usize::try_from(*own.id)) {
            // Channel ids are below MAX_CHANNELS in every system that was parsed.
            let _ = directory.set(channel, Entry::new(&writer.name, *ring.vaddr));
        }
    }
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_leads_to_the_ring_that_its_other_end_writes() {
        let text = r#"<system>
            <memory_region name="log_a" size="0x4000" />
            <memory_region name="other" size="0x1000" />
            <protection_domain name="console" priority="9">
                <program_image path="c" />
                <map mr="other" vaddr="0x100000" perms="r" />
                <map mr="log_a" vaddr="0x200000" perms="r" />
            </protection_domain>
            <protection_domain name="a" priority="1">
                <program_image path="a" />
                <map mr="log_a" vaddr="0x300000" perms="rw" />
            </protection_domain>
            <protection_domain name="silent" priority="1">
                <program_image path="s" />
            </protection_domain>
            <channel><end pd="a" id="7" /><end pd="console" id="4" /></channel>
            <channel><end pd="silent" id="7" /><end pd="console" id="5" /></channel>
        </system>"#;
        let system = System::parse("system.xml", text).unwrap();
        let directory = console_directory(&system, 0);
        assert_eq!(directory.get(4), Some(&Entry::new("a", 0x20_0000)));
        assert_eq!(directory.get(5), None);
    }
}
