// SPDX-License-Identifier: BSD-2-Clause
//! The floor: a bare 64-ary bitmap. It finds the lowest free number in a range, and knows nothing else.

use super::subject::{IDS, Subject};

/// Words of each level, from the one with a bit for each number up to a single word.
const LEVELS: [usize; 4] = [1 << 14, 1 << 8, 1 << 2, 1];

/// What is free: a bit for each number, and above each word a bit that says whether it has any.
pub struct Bitmap {
    levels: [Vec<u64>; 4],
}

impl Bitmap {
    #[inline(always)]
    fn lowest_from(&self, min: u32) -> Option<u32> {
        let mut at = min as usize;
        for level in 0..LEVELS.len() {
            let rest = self.levels[level].get(at >> 6)? & (!0 << (at & 63));
            if rest != 0 {
                at = at & !63 | rest.trailing_zeros() as usize;
                for below in (0..level).rev() {
                    at = at << 6 | self.levels[below].get(at)?.trailing_zeros() as usize;
                }
                return u32::try_from(at).ok();
            }
            at = (at >> 6) + 1;
        }
        None
    }
}

impl Subject for Bitmap {
    const NAME: &'static str = "64-ary bitmap";
    const RANGES: bool = true;
    type Id = u32;

    fn new() -> Self {
        let mut levels = LEVELS.map(|words| vec![!0; words]);
        levels[3][0] = 0xf;
        Self { levels }
    }

    #[inline(always)]
    fn alloc(&mut self, min: u32, max: u32) -> Option<u32> {
        let id = self.lowest_from(min).filter(|&id| id <= max)?;
        let mut at = id as usize;
        for level in &mut self.levels {
            let word = level.get_mut(at >> 6)?;
            *word &= !(1 << (at & 63));
            if *word != 0 {
                break;
            }
            at >>= 6;
        }
        Some(id)
    }

    #[inline(always)]
    fn free(&mut self, id: u32) {
        let mut at = id as usize;
        for level in &mut self.levels {
            let Some(word) = level.get_mut(at >> 6) else { return };
            let before = *word;
            *word = before | 1 << (at & 63);
            if before != 0 {
                break;
            }
            at >>= 6;
        }
    }

    fn bytes_per_id(&self) -> Option<f64> {
        let words: usize = self.levels.iter().map(Vec::len).sum();
        Some((words * size_of::<u64>()) as f64 / f64::from(IDS))
    }
}
