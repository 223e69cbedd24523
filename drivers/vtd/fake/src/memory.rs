// SPDX-License-Identifier: BSD-2-Clause
//! Memory, and the processor's cache in front of it: a unit that does not snoop sees only what left the cache.
use std::collections::BTreeMap;

/// Words in a cache line.
const LINE: u64 = 8;

/// Memory from physical address 0, in words.
#[derive(Debug)]
pub struct Memory {
    ram: Vec<u64>,
    /// Lines that were written and not yet flushed, by number.
    dirty: BTreeMap<u64, [u64; 8]>,
    /// Whether the processor's writes are seen at once.
    coherent: bool,
    /// Whether what leaves the cache is kept in a write buffer first (CAP.RWBF).
    buffered: bool,
    /// Lines in that buffer.
    buffer: BTreeMap<u64, [u64; 8]>,
}

impl Memory {
    pub(crate) fn new(words: usize, coherent: bool, buffered: bool) -> Self {
        let (dirty, buffer) = (BTreeMap::new(), BTreeMap::new());
        Self { ram: vec![0; words], dirty, coherent, buffered, buffer }
    }

    fn index(phys: u64) -> usize {
        assert!(phys.is_multiple_of(8), "{phys:#x} is not the address of a word");
        usize::try_from(phys / 8).expect("a physical address")
    }

    /// What the processor reads.
    #[must_use]
    pub fn load(&self, phys: u64) -> u64 {
        let number = phys / 8 / LINE;
        match self.dirty.get(&number).or_else(|| self.buffer.get(&number)) {
            Some(line) => line[Self::index(phys) % 8],
            None => self.ram[Self::index(phys)],
        }
    }

    /// What the processor writes.
    pub fn store(&mut self, phys: u64, value: u64) {
        if self.coherent {
            self.ram[Self::index(phys)] = value;
            return;
        }
        let number = phys / 8 / LINE;
        let first = Self::index(number * LINE * 8);
        let old = self.buffer.get(&number).copied();
        let line = self.dirty.entry(number);
        let line = line
            .or_insert_with(|| old.unwrap_or_else(|| std::array::from_fn(|index| self.ram[first + index])));
        line[Self::index(phys) % 8] = value;
    }

    /// Writes lines back.
    pub fn flush(&mut self, phys: u64, bytes: u64) {
        for number in phys / 64..(phys + bytes).div_ceil(64) {
            self.evict(number);
        }
    }

    fn evict(&mut self, number: u64) {
        if let Some(line) = self.dirty.remove(&number) {
            if self.buffered {
                self.buffer.insert(number, line);
                return;
            }
            let first = Self::index(number * LINE * 8);
            self.ram[first..first + 8].copy_from_slice(&line);
        }
    }

    /// Empties the write buffer.
    pub(crate) fn drain(&mut self) {
        for (number, line) in std::mem::take(&mut self.buffer) {
            let first = Self::index(number * LINE * 8);
            self.ram[first..first + 8].copy_from_slice(&line);
        }
    }

    /// Writes some line back of its own accord.
    pub(crate) fn evict_any(&mut self, random: &mut fastrand::Rng) {
        let Some((&last, _)) = self.dirty.last_key_value() else { return };
        let number = self.dirty.range(random.u64(..=last)..).next().map(|(&number, _)| number);
        if let Some(number) = number {
            self.evict(number);
        }
    }

    /// What the unit or a device reads; `None` where there is no memory.
    #[must_use]
    pub fn read(&self, phys: u64) -> Option<u64> {
        self.ram.get(Self::index(phys & !7)).copied()
    }

    /// What the unit or a device writes: the processor's cache snoops it.
    pub fn write(&mut self, phys: u64, value: u64) -> bool {
        let index = Self::index(phys & !7);
        for lines in [&mut self.dirty, &mut self.buffer] {
            if let Some(line) = lines.get_mut(&(phys / 64)) {
                line[index % 8] = value;
            }
        }
        let word = self.ram.get_mut(index);
        let there = word.is_some();
        if let Some(word) = word {
            *word = value;
        }
        there
    }
}
