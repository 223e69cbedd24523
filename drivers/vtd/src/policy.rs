// SPDX-License-Identifier: BSD-2-Clause
//! What is done about faults, besides reporting them: a device that storms is silenced, and, where the owner asks
//! for it, what a fault came through is revoked.
use heapless::Vec;

use crate::batch::Binding;
use crate::ids::SourceId;

/// Devices that are counted at a time.
const TRACKED: usize = 32;

/// The owner's choice, and the counts that it needs. The default reports and does nothing else.
#[derive(Clone, Debug, Default)]
pub struct FaultPolicy {
    /// After how many faults of one device, counted from the last [`crate::Unit::rearm_faults`], the unit records
    /// no more of them; `None` is never. Silencing a device costs it nothing: its requests are denied as before.
    pub quiet_after: Option<u16>,
    /// Whether the binding that a fault came through is taken away.
    pub revoke: bool,
    counted: Vec<(SourceId, u16), TRACKED>,
}

/// What was done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was reported.
    Reported,
    /// It was reported, and it is the last one of its device until the next [`crate::Unit::rearm_faults`].
    Silenced,
    /// It was reported, and the binding that it came through is gone. Its id may be used anew.
    Revoked(Binding),
    /// It was reported, and the binding that it came through is denied, but in quarantine.
    Quarantined(Binding),
}

impl FaultPolicy {
    /// A policy.
    #[must_use]
    pub const fn new(quiet_after: Option<u16>, revoke: bool) -> Self {
        Self { quiet_after, revoke, counted: Vec::new() }
    }

    /// Counts a fault of a device; says whether it is the one to silence it at. When more devices fault than can
    /// be counted, those beyond are silenced at once, so that no number of devices makes a storm.
    pub(crate) fn count(&mut self, device: SourceId) -> bool {
        let Some(limit) = self.quiet_after else { return false };
        if let Some((_, count)) = self.counted.iter_mut().find(|(counted, _)| *counted == device) {
            *count = count.saturating_add(1);
            return *count >= limit;
        }
        self.counted.push((device, 1)).is_err() || limit <= 1
    }

    /// Starts counting anew.
    pub(crate) fn forget(&mut self) {
        self.counted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_is_silenced_at_its_own_limit_and_all_others_at_once() {
        let mut policy = FaultPolicy::new(Some(3), false);
        let mut silenced = |device: u16| policy.count(SourceId::from(device));
        assert_eq!([silenced(1), silenced(1), silenced(2), silenced(1)], [false, false, false, true]);
        for device in 3..=32 {
            assert!(!silenced(device));
        }
        assert!(silenced(33) && !silenced(2) && silenced(2));
        policy.forget();
        assert!(!policy.count(SourceId::from(33)));
        assert!(!FaultPolicy::default().count(SourceId::from(1)));
    }
}
