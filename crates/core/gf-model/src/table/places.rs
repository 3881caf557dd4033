//! Where records lie: in blocks that are never moved, so that no change of one is a copy of all.

/// So many lie in one block.
const BLOCK: usize = 1 << SHIFT;
const SHIFT: u32 = 9;

#[derive(Clone)]
pub(super) struct Places<T> {
    /// All are full but the last.
    blocks: Vec<Vec<Option<T>>>,
    /// Places that nothing lies in any more.
    free: Vec<u32>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: Vec::new() }
    }
}

const fn split(place: u32) -> (usize, usize) {
    ((place >> SHIFT) as usize, place as usize & (BLOCK - 1))
}

impl<T> Places<T> {
    pub fn get(&self, place: u32) -> Option<&T> {
        let (block, within) = split(place);
        self.blocks.get(block)?.get(within)?.as_ref()
    }

    pub fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let (block, within) = split(place);
        self.blocks.get_mut(block)?.get_mut(within)?.as_mut()
    }

    /// Where the next one will lie.
    pub fn next(&self) -> u32 {
        let at_the_end = || match self.blocks.last() {
            Some(last) if last.len() < BLOCK => ((self.blocks.len() - 1) * BLOCK + last.len()) as u32,
            _ => (self.blocks.len() * BLOCK) as u32,
        };
        self.free.last().copied().unwrap_or_else(at_the_end)
    }

    pub fn put(&mut self, item: T) -> u32 {
        let place = self.next();
        let (block, within) = split(place);
        if self.free.pop().is_some() {
            self.blocks[block][within] = Some(item);
            return place;
        }
        if block == self.blocks.len() {
            // The first grows as it fills: most kinds have few records.
            self.blocks.push(if block == 0 { Vec::new() } else { Vec::with_capacity(BLOCK) });
        }
        self.blocks[block].push(Some(item));
        place
    }

    pub fn take(&mut self, place: u32) -> Option<T> {
        let (block, within) = split(place);
        let taken = self.blocks.get_mut(block)?.get_mut(within)?.take()?;
        self.free.push(place);
        Some(taken)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.blocks.iter_mut().flatten().flatten()
    }
}
