//! Inputs derived from seeds: the same ones in every run.

/// Longest input made. Frames of real messages are shorter; longer ones only cost time.
const LONGEST: usize = 8192;

/// Numbers that decoders get wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    4,
    7,
    8,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// Makes inputs.
pub struct Mutator<'s> {
    state: u64,
    seeds: &'s [Vec<u8>],
    input: Vec<u8>,
}

impl<'s> Mutator<'s> {
    /// Starts the sequence that `start` stands for. `seeds` must not be empty.
    pub fn new(start: u64, seeds: &'s [Vec<u8>]) -> Self {
        Mutator {
            state: start | 1,
            seeds,
            input: Vec::new(),
        }
    }

    /// The next input: a seed with one to eight changes.
    pub fn next_input(&mut self) -> &[u8] {
        let seed = &self.seeds[self.below(self.seeds.len())];
        self.input.clear();
        self.input.extend_from_slice(seed);
        for _ in 0..=self.below(8) {
            self.change();
        }
        self.input.truncate(LONGEST);
        &self.input
    }

    fn change(&mut self) {
        let length = self.input.len();
        if length == 0 {
            let byte = self.word() as u8;
            self.input.push(byte);
            return;
        }
        let at = self.below(length);
        match self.below(10) {
            0 => self.input[at] ^= 1 << self.below(8),
            1 => self.input[at] = self.word() as u8,
            // A count or an offset, at the places where the formats align them.
            2..=4 => {
                let width = [1, 2, 4, 8][self.below(4)];
                let at = at / width * width;
                let value = match self.below(3) {
                    0 => EDGES[self.below(EDGES.len())],
                    1 => self.below(length + 9) as u64,
                    _ => self
                        .read(at, width)
                        .wrapping_add(self.below(33) as u64)
                        .wrapping_sub(16),
                };
                for (byte, new) in self.input[at..]
                    .iter_mut()
                    .zip(value.to_le_bytes())
                    .take(width)
                {
                    *byte = new;
                }
            }
            5 => self.input.truncate(at),
            6 => {
                let byte = self.word() as u8;
                let count = self.below(65);
                self.input.splice(at..at, std::iter::repeat_n(byte, count));
            }
            7 => {
                let end = (at + self.below(17)).min(length);
                self.input.drain(at..end);
            }
            8 => {
                // A piece of itself once more.
                let end = (at + self.below(129)).min(length);
                let piece = self.input[at..end].to_vec();
                let to = self.below(length);
                self.input.splice(to..to, piece);
            }
            _ => {
                // The end of another seed.
                let other = &self.seeds[self.below(self.seeds.len())];
                let from = self.below(other.len() + 1);
                self.input.truncate(at);
                self.input.extend_from_slice(&other[from..]);
            }
        }
    }

    fn read(&self, at: usize, width: usize) -> u64 {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(&self.input[at..]).take(width) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound.max(1) as u64) as usize
    }

    /// xorshift64*.
    fn word(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_inputs_in_every_run() {
        let seeds = [vec![1, 2, 3, 4], vec![], vec![9; 100]];
        let make = |start| {
            let mut mutator = Mutator::new(start, &seeds);
            (0..500)
                .map(|_| mutator.next_input().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(9));
    }
}
