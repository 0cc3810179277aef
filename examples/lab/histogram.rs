//! Times, kept in little room: so the memory that is measured is not that of the measuring.

/// Below this, each value has a place of its own; from there on, each octave has so many places.
const PLACES: u64 = 512;
const OCTAVES: u64 = 64 - PLACES.ilog2() as u64;

/// How many there were of each length: exact below 512 ns, and above that to one part in 512.
pub(crate) struct Histogram {
    counts: Box<[u32]>,
    pub(crate) count: u64,
    /// Of all values.
    pub(crate) sum: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; ((OCTAVES + 1) * PLACES) as usize].into(), count: 0, sum: 0 }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u64) {
        self.counts[place(value)] += 1;
        self.count += 1;
        self.sum += value;
    }

    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// The value that so many percent of all do not exceed; 0 when there are none.
    pub(crate) fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count.saturating_sub(1)) * percent / 100;
        let mut below = 0;
        let found = self.counts.iter().position(|count| {
            below += u64::from(*count);
            below > wanted
        });
        found.map_or(0, |place| middle(place as u64))
    }

    pub(crate) fn mean(&self) -> u64 {
        self.sum / self.count.max(1)
    }
}

fn place(value: u64) -> usize {
    // How many of its last bits do not count.
    let dropped = u64::from(value.max(PLACES).ilog2() - PLACES.ilog2());
    (dropped * PLACES + (value >> dropped)) as usize
}

/// The value in the middle of a place.
fn middle(place: u64) -> u64 {
    match place / PLACES {
        0 | 1 => place,
        octave => {
            let dropped = octave - 1;
            let least = (place - dropped * PLACES) << dropped;
            least + (1 << dropped) / 2
        }
    }
}
