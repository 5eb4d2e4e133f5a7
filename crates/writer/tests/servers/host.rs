//! A monitoring server, or many of them on one thread: it reads, or does not, and knows what it was told.
//!
//! * **level**  one epoll, level-triggered; who is not to be read is not asked for.
//! * **books**  each connection has a [`Book`], which outlives it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use socket2::{Domain, SockRef, Socket, Type};

use super::stream::Checker;

/// How a host reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reads {
    All,
    Nothing,
    /// So many octets each time.
    Drip(usize, Duration),
}

/// How a connection went, as its server sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The other side said that nothing more comes.
    Eof,
    /// The other side broke it.
    Reset,
    /// We did.
    Ours,
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) peer: SocketAddr,
    pub(crate) checker: Checker,
    pub(crate) wrong: Option<String>,
    pub(crate) end: Option<End>,
}

enum Command {
    Reads(Reads),
    /// Of all connections there are.
    Say(usize),
    CloseAll,
    ResetAll,
    /// Of each connection that comes.
    ResetNew(bool),
    /// Takes over one that was made elsewhere.
    Adopt(TcpStream),
    /// Stops and starts listening.
    Listen(bool),
    Stop,
}

pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    books: Mutex<Vec<Book>>,
    commands: Mutex<Vec<Command>>,
    eventfd: OwnedFd,
}

impl Host {
    /// One that listens there, and reads all.
    pub(crate) fn new(address: impl Into<SocketAddr>) -> Self {
        Self::with_buffer(address, None)
    }

    /// The same with a small receive buffer, so that its window closes early.
    pub(crate) fn with_buffer(address: impl Into<SocketAddr>, buffer: Option<usize>) -> Self {
        let listener = listen(address.into(), buffer);
        let address = listener.local_addr().expect("bound");
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("eventfd");
        let shared = Arc::new(Shared { books: Mutex::default(), commands: Mutex::default(), eventfd });
        let place = Place {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll"),
            shared: shared.clone(),
            listener: None,
            buffer,
            address,
            connections: HashMap::new(),
            reads: Reads::All,
            drip_at: Instant::now(),
            resets_new: false,
            scratch: vec![0; 256 << 10],
        };
        let builder = std::thread::Builder::new().name(String::from("host"));
        let thread = Some(builder.spawn(move || place.run(listener)).expect("a thread"));
        Self { address, shared, thread }
    }

    fn command(&self, command: Command) {
        self.shared.commands.lock().expect("no panic").push(command);
        rustix::io::write(&self.shared.eventfd, &1_u64.to_ne_bytes()).expect("a bell");
    }

    pub(crate) fn reads(&self, reads: Reads) {
        self.command(Command::Reads(reads));
    }

    pub(crate) fn say(&self, octets: usize) {
        self.command(Command::Say(octets));
    }

    pub(crate) fn close_all(&self) {
        self.command(Command::CloseAll);
    }

    pub(crate) fn reset_all(&self) {
        self.command(Command::ResetAll);
    }

    pub(crate) fn reset_new(&self, resets: bool) {
        self.command(Command::ResetNew(resets));
    }

    pub(crate) fn listens(&self, listens: bool) {
        self.command(Command::Listen(listens));
    }

    /// Connects to one of our listeners, from an address of its own.
    pub(crate) fn connect(&self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("reuse");
        socket.bind(&from.into()).expect("an address of ours");
        socket.connect(&to.into()).expect("somebody listens");
        let stream = TcpStream::from(socket);
        let local = stream.local_addr().expect("connected");
        self.command(Command::Adopt(stream));
        local
    }

    pub(crate) fn books(&self) -> Vec<Book> {
        self.shared.books.lock().expect("no panic").clone()
    }

    /// Looks at the books without a copy.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Book]) -> T) -> T {
        look(&self.shared.books.lock().expect("no panic"))
    }

    /// How many connections stand.
    pub(crate) fn standing(&self) -> usize {
        self.look(|books| books.iter().filter(|book| book.end.is_none()).count())
    }

    /// Whether the connection from there stands, and has all live messages up to `next`.
    pub(crate) fn has_told(&self, peer: SocketAddr, next: u64) -> bool {
        self.look(|books| {
            let mut books = books.iter().rev();
            books
                .find(|book| book.peer == peer)
                .is_some_and(|book| book.end.is_none() && book.checker.next == Some(next))
        })
    }

    /// Nothing that any connection was told is wrong.
    pub(crate) fn verify(&self) {
        self.look(|books| {
            for book in books {
                assert_eq!(book.wrong, None, "{book:?}");
                assert!(book.end != Some(End::Eof) || !book.checker.torn(), "torn: {book:?}");
            }
        });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.command(Command::Stop);
        let result = self.thread.take().expect("joined once").join();
        if result.is_err() && !std::thread::panicking() {
            panic!("the host panicked");
        }
    }
}

fn listen(address: SocketAddr, buffer: Option<usize>) -> TcpListener {
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None).expect("a socket");
    socket.set_reuse_address(true).expect("reuse");
    if let Some(buffer) = buffer {
        socket.set_recv_buffer_size(buffer).expect("a buffer");
    }
    socket.bind(&address.into()).unwrap_or_else(|error| panic!("{address}: {error}"));
    socket.listen(4096).expect("listen");
    socket.into()
}

/// The thread's side.
struct Place {
    epoll: OwnedFd,
    shared: Arc<Shared>,
    listener: Option<TcpListener>,
    buffer: Option<usize>,
    address: SocketAddr,
    /// By the number of the book.
    connections: HashMap<usize, TcpStream>,
    reads: Reads,
    drip_at: Instant,
    resets_new: bool,
    scratch: Vec<u8>,
}

const BELL: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;

impl Place {
    fn run(mut self, listener: TcpListener) {
        epoll::add(&self.epoll, &self.shared.eventfd, EventData::new_u64(BELL), EventFlags::IN).expect("add");
        self.listen(Some(listener));
        let mut edges = Vec::with_capacity(256);
        loop {
            let timeout = match self.reads {
                Reads::Drip(..) => {
                    let left = self.drip_at.saturating_duration_since(Instant::now());
                    Some(rustix::time::Timespec::try_from(left).expect("short"))
                }
                _ => None,
            };
            match epoll::wait(&self.epoll, spare_capacity(&mut edges), timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => panic!("epoll_wait: {errno}"),
            }
            // Before what has happened: whoever commands and then connects means it so. And the bell is silenced
            // before they are taken: who commands after that rings it again.
            let _ = rustix::io::read(&self.shared.eventfd, &mut [0; 8]);
            let commands = std::mem::take(&mut *self.shared.commands.lock().expect("no panic"));
            for command in commands {
                match command {
                    Command::Stop => return,
                    command => self.command(command),
                }
            }
            for edge in edges.drain(..) {
                match edge.data.u64() {
                    BELL => {}
                    LISTENER => self.accept(),
                    book => {
                        let book = usize::try_from(book).expect("a number of a book");
                        // Errors and hang-ups are told without being asked for.
                        let flags = edge.flags;
                        let gone = flags.intersects(EventFlags::HUP | EventFlags::ERR);
                        self.read(book, if gone { Reads::All } else { self.reads });
                    }
                }
            }
            if let Reads::Drip(_, every) = self.reads
                && Instant::now() >= self.drip_at
            {
                self.drip_at = Instant::now() + every;
                let books: Vec<_> = self.connections.keys().copied().collect();
                books.into_iter().for_each(|book| self.read(book, self.reads));
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Reads(reads) => {
                self.reads = reads;
                for (&book, stream) in &self.connections {
                    let data = EventData::new_u64(book as u64);
                    epoll::modify(&self.epoll, stream, data, self.interest()).expect("modify");
                }
            }
            Command::Say(octets) => {
                let mut books = self.shared.books.lock().expect("no panic");
                // What does not fit is not said. A reset is told once, to whoever asks first.
                self.connections.retain(|&number, stream| match stream.write(&vec![0x55; octets]) {
                    Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
                        books[number].end = Some(End::Reset);
                        false
                    }
                    _ => true,
                });
            }
            Command::CloseAll => self.end_all(false),
            Command::ResetAll => self.end_all(true),
            Command::ResetNew(resets) => self.resets_new = resets,
            Command::Adopt(stream) => self.begin(stream),
            Command::Listen(true) => {
                let listener = listen(self.address, self.buffer);
                self.listen(Some(listener));
            }
            Command::Listen(false) => self.listen(None),
            Command::Stop => unreachable!("dealt with"),
        }
    }

    fn interest(&self) -> EventFlags {
        if self.reads == Reads::All { EventFlags::IN } else { EventFlags::empty() }
    }

    fn listen(&mut self, listener: Option<TcpListener>) {
        self.listener = listener;
        if let Some(listener) = &self.listener {
            epoll::add(&self.epoll, listener.as_fd(), EventData::new_u64(LISTENER), EventFlags::IN)
                .expect("add");
        }
    }

    fn accept(&mut self) {
        while let Some(Ok((stream, _))) = self.listener.as_ref().map(TcpListener::accept) {
            self.begin(stream);
        }
    }

    fn begin(&mut self, stream: TcpStream) {
        let Ok(peer) = stream.peer_addr() else { return };
        stream.set_nonblocking(true).expect("non-blocking");
        let book = Book { peer, checker: Checker::default(), wrong: None, end: None };
        let mut books = self.shared.books.lock().expect("no panic");
        let number = books.len();
        books.push(book);
        if self.resets_new {
            books[number].end = Some(End::Ours);
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("linger");
            return;
        }
        epoll::add(&self.epoll, &stream, EventData::new_u64(number as u64), self.interest()).expect("add");
        self.connections.insert(number, stream);
    }

    fn end_all(&mut self, resets: bool) {
        let mut books = self.shared.books.lock().expect("no panic");
        for (number, stream) in self.connections.drain() {
            books[number].end = Some(End::Ours);
            if resets {
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("linger");
            }
        }
    }

    fn read(&mut self, number: usize, reads: Reads) {
        let Some(stream) = self.connections.get_mut(&number) else { return };
        let most = match reads {
            Reads::All => self.scratch.len(),
            Reads::Nothing => return,
            Reads::Drip(octets, _) => octets,
        };
        loop {
            let result = stream.read(&mut self.scratch[..most]);
            let mut books = self.shared.books.lock().expect("no panic");
            let book = &mut books[number];
            let end = match result {
                Ok(0) => End::Eof,
                Ok(len) => {
                    if book.wrong.is_none() {
                        book.wrong = book.checker.take(&self.scratch[..len]).err();
                    }
                    if reads == Reads::All && len == most {
                        continue;
                    }
                    return;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => End::Reset,
            };
            book.end = Some(end);
            self.connections.remove(&number);
            return;
        }
    }
}
