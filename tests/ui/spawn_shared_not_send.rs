use std::rc::Rc;

use dewar::bridge;

fn main() {
    let counted = Rc::new(1);
    let task = bridge::spawn_shared(async move { *counted });
    task.detach();
}
