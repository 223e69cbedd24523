// SPDX-License-Identifier: BSD-2-Clause
//! What follows from the records of a trace.

use ioasid_trace::{Event, Handle, ShareWhy, Trace};

/// What a set may have and has, after the last record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Ids that are always there for it.
    pub reservation: u32,
    /// The most ids that it may have.
    pub limit: u32,
    /// Ids that it has.
    pub used: u32,
    /// The most that it had.
    pub peak: u32,
    /// Faults of its devices.
    pub faults: u64,
    /// Its calls that were refused.
    pub refused: u64,
}

/// From here on the set has so many ids, and may have so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: u64,
    /// Ids that it has.
    pub used: u32,
    /// The most that it may have.
    pub limit: u32,
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name: that of its client's protection domain.
    pub name: String,
    /// What it has; `None` where the trace does not say.
    pub share: Option<Share>,
    /// It is there, and has not begun to end.
    pub open: bool,
    /// What it had at which time, oldest first.
    pub steps: Vec<Step>,
}

/// A device that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its requester id.
    pub source: u16,
    /// The set that it belongs to.
    pub set: usize,
    /// The ids that it is bound to, as far as the records tell; `true`: for requests that carry the id's PASID.
    pub bound: Vec<(Handle, bool)>,
    /// Its faults among the records.
    pub faults: u64,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of its record.
    pub number: u64,
    /// When, in the server's time: calls and interrupts, those of its lives one behind the other.
    pub at: u64,
    /// The set that it is of.
    pub set: Option<usize>,
    /// What happened; `None` where this version does not know.
    pub event: Option<Event>,
}

/// One life of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it began.
    pub at: u64,
    /// Which it is.
    pub epoch: u16,
    /// Whether it owned a unit.
    pub unit: bool,
}

/// Everything that a trace tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The sets, by number.
    pub sets: Vec<Set>,
    /// The devices.
    pub devices: Vec<Device>,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
    /// The lives that began while records were kept.
    pub lives: Vec<Life>,
    /// Records that were written and are overwritten.
    pub lost: u64,
    /// Ids that are in quarantine, as far as the records tell.
    pub quarantined: u64,
    /// Faults of devices that nobody was granted, among the records.
    pub strays: u64,
}

/// A set while the records are gone through. Before the first statement of its share only differences are known.
#[derive(Default)]
struct Run {
    stated: bool,
    used: i64,
    share: Share,
    open: bool,
    steps: Vec<(u64, i64, u32)>,
}

impl Run {
    fn change(&mut self, at: u64, by: i64) {
        self.used += by;
        self.share.peak = self.share.peak.max(u32::try_from(self.used).unwrap_or(0));
        self.steps.push((at, self.used, self.share.limit));
    }

    fn state(&mut self, at: u64, why: ShareWhy, share: Share) {
        if !self.stated {
            let missing = i64::from(share.used) - self.used;
            for (_, used, limit) in &mut self.steps {
                (*used, *limit) = (*used + missing, share.limit);
            }
        }
        self.stated = true;
        (self.used, self.share) = (share.used.into(), share);
        self.open = match why {
            ShareWhy::Stated => share.limit > 0 || share.used > 0,
            ShareWhy::Opened | ShareWhy::Adjusted => true,
            ShareWhy::Ending | ShareWhy::Gone => false,
        };
        self.steps.push((at, self.used, share.limit));
    }

    fn finish(self, name: String) -> Set {
        let used = |used: i64| u32::try_from(used).unwrap_or(0);
        let steps = self.steps.into_iter().filter(|_| self.stated);
        let mut steps: Vec<_> = steps.map(|(at, had, limit)| Step { at, used: used(had), limit }).collect();
        // Of what changed at the same time the end counts; what did not change is no step.
        steps.reverse();
        steps.dedup_by_key(|step| step.at);
        steps.reverse();
        steps.dedup_by_key(|step| (step.used, step.limit));
        let share = self.stated.then_some(Share { used: used(self.used), ..self.share });
        Set { name, share, open: self.open, steps }
    }
}

impl History {
    /// What the trace tells; `written_since` as in [`Trace::records`].
    #[must_use]
    pub fn of(trace: &Trace<'_>, written_since: u64) -> Self {
        let names = trace.sets().map(|name| name.as_str().to_owned());
        let mut runs: Vec<Run> = (0..names.len()).map(|_| Run::default()).collect();
        let mut history = Self {
            devices: trace
                .devices()
                .map(|device| Device {
                    name: device.name.as_str().to_owned(),
                    source: device.source,
                    set: device.set.into(),
                    bound: Vec::new(),
                    faults: 0,
                })
                .collect(),
            ..Self::default()
        };
        let mut began = 0;
        for record in trace.records(written_since) {
            if let Some(Event::Started { epoch, unit }) = record.event {
                began = history.entries.last().map_or(0, |last| last.at + 1);
                history.begin(Life { at: began, epoch, unit });
            }
            let at = began + u64::from(record.time);
            let set = record.set.map(usize::from).filter(|&set| set < runs.len());
            let entry = Entry { number: record.number, at, set, event: record.event };
            history.entries.push(entry);
            if let Some(event) = record.event {
                if let Some(run) = set.and_then(|set| runs.get_mut(set)) {
                    follow(run, at, event);
                }
                history.follow(set, event);
            }
        }
        history.lost = history.entries.first().map_or(trace.written(), |first| first.number - 1);
        history.sets = runs.into_iter().zip(names).map(|(run, name)| run.finish(name)).collect();
        history
    }

    fn begin(&mut self, life: Life) {
        self.lives.push(life);
        self.quarantined = 0;
        self.devices.iter_mut().for_each(|device| device.bound.clear());
    }

    fn device_mut(&mut self, source: u16) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.source == source)
    }

    /// What an event means for devices.
    fn follow(&mut self, set: Option<usize>, event: Event) {
        match event {
            Event::Bind { id, device, tagged } => {
                if let Some(device) = self.device_mut(device) {
                    device.bound.retain(
                        |&(other, other_tagged)| {
                            if tagged { other != id || !other_tagged } else { other_tagged }
                        },
                    );
                    device.bound.push((id, tagged));
                }
            }
            Event::Unbind { id, device, tagged } => {
                if let Some(device) = self.device_mut(device) {
                    device.bound.retain(|&bound| bound != (id, tagged));
                }
            }
            Event::Free { id } | Event::Quarantine { id } => {
                self.quarantined += u64::from(matches!(event, Event::Quarantine { .. }));
                self.devices.iter_mut().for_each(|device| device.bound.retain(|&(bound, _)| bound != id));
            }
            Event::Share { why: ShareWhy::Ending, .. } => {
                let of_set = self.devices.iter_mut().filter(|device| Some(device.set) == set);
                of_set.for_each(|device| device.bound.clear());
            }
            Event::Fault { device, .. } => match self.device_mut(device) {
                Some(device) => device.faults += 1,
                None => self.strays += 1,
            },
            _ => {}
        }
    }

    /// The device with this requester id.
    #[must_use]
    pub fn device(&self, source: u16) -> Option<&Device> {
        self.devices.iter().find(|device| device.source == source)
    }

    /// From when to when there are records.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let at = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.at);
        (at(self.entries.first()), at(self.entries.last()))
    }
}

/// What an event means for its set.
fn follow(run: &mut Run, at: u64, event: Event) {
    match event {
        Event::Share { why, reservation, limit, used, peak, faults, refused } => {
            let (faults, refused) = (faults.into(), refused.into());
            run.state(at, why, Share { reservation, limit, used, peak, faults, refused });
        }
        Event::Alloc { .. } => run.change(at, 1),
        Event::Free { .. } => run.change(at, -1),
        Event::Fault { .. } => run.share.faults += 1,
        Event::Refused { total, .. } => run.share.refused = total,
        _ => {}
    }
}
