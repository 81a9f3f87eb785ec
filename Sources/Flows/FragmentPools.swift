import Glibc

/// The bytes of datagrams that are not whole, in pages of 1 KiB, and the pieces of them that are there.
@safe
struct FragmentPools: ~Copyable {
    static let pageSize = 1_024

    /// Bytes of a datagram that one fragment gave. `sent` is the fragment as it came; others may have covered
    /// parts of it.
    struct Piece: BitwiseCopyable {
        var start: UInt16 = 0
        var end: UInt16 = 0
        var sentStart: UInt16 = 0
        var sentEnd: UInt16 = 0
        var next: UInt32 = 0

        @inline(__always) var sent: Range<Int> { Int(sentStart)..<Int(sentEnd) }
    }

    private let bytes: UnsafeMutablePointer<UInt8>
    private let nextPages: UnsafeMutablePointer<UInt16>
    let pageCount: Int
    private var pagesUsed = 0
    private var freePage: UInt16 = 0

    private let pieces: UnsafeMutablePointer<Piece>
    let pieceCount: Int
    private var piecesUsed = 0
    private var freePiece: UInt32 = 0
    private(set) var piecesLeft: Int
    private(set) var pagesLeft: Int

    init(bytes size: Int) {
        pageCount = max(128, min(65_534, size / FragmentPools.pageSize))
        pieceCount = pageCount * 4
        pagesLeft = pageCount
        piecesLeft = pieceCount
        // Zero pages, which cost nothing until they are written.
        unsafe bytes = unsafe calloc(pageCount + 1, FragmentPools.pageSize)!
            .bindMemory(to: UInt8.self, capacity: (pageCount + 1) * FragmentPools.pageSize)
        unsafe nextPages = unsafe calloc(pageCount + 1, 2)!.bindMemory(to: UInt16.self, capacity: pageCount + 1)
        unsafe pieces = unsafe calloc(pieceCount + 1, MemoryLayout<Piece>.stride)!
            .bindMemory(to: Piece.self, capacity: pieceCount + 1)
    }

    deinit {
        unsafe free(bytes)
        unsafe free(nextPages)
        unsafe free(pieces)
    }

    var memoryBytes: Int {
        (pageCount + 1) * (FragmentPools.pageSize + 2) + (pieceCount + 1) * MemoryLayout<Piece>.stride
    }

    // MARK: - Pages

    func page(_ index: UInt16) -> UnsafeMutablePointer<UInt8> {
        unsafe bytes + Int(index) * FragmentPools.pageSize
    }

    /// 0 if there is none.
    mutating func takePage() -> UInt16 {
        if freePage != 0 {
            let index = freePage
            freePage = unsafe nextPages[Int(index)]
            pagesLeft -= 1
            return index
        }
        guard pagesUsed < pageCount else { return 0 }
        pagesUsed += 1
        pagesLeft -= 1
        return UInt16(pagesUsed)
    }

    mutating func release(page index: UInt16) {
        guard index != 0 else { return }
        unsafe nextPages[Int(index)] = freePage
        freePage = index
        pagesLeft += 1
    }

    // MARK: - Pieces

    func piece(_ index: UInt32) -> UnsafeMutablePointer<Piece> { unsafe pieces + Int(index) }

    /// There must be one left.
    mutating func take(_ piece: Piece) -> UInt32 {
        var index = freePiece
        if index != 0 {
            freePiece = unsafe pieces[Int(index)].next
        } else {
            piecesUsed += 1
            precondition(piecesUsed <= pieceCount)
            index = UInt32(piecesUsed)
        }
        piecesLeft -= 1
        unsafe pieces[Int(index)] = piece
        return index
    }

    mutating func release(piece index: UInt32) {
        unsafe pieces[Int(index)].next = freePiece
        freePiece = index
        piecesLeft += 1
    }

    /// Gives back all that a datagram holds.
    mutating func release(_ datagram: UnsafeMutablePointer<Datagram>) {
        for i in 0..<64 {
            let index = unsafe datagram.pointee.pages[i]
            if index != 0 {
                release(page: index)
                unsafe datagram.pointee.pages[i] = 0
            }
        }
        release(page: unsafe datagram.pointee.headerPage)
        unsafe datagram.pointee.headerPage = 0
        var index = unsafe datagram.pointee.firstPiece
        while index != 0 {
            let next = unsafe pieces[Int(index)].next
            release(piece: index)
            index = next
        }
        unsafe datagram.pointee.firstPiece = 0
        unsafe datagram.pointee.lastPiece = 0
        unsafe datagram.pointee.pieceCount = 0
    }
}

// MARK: - The bytes of one datagram

extension FragmentPools {
    /// Whether the bytes of a datagram from `start` on are these; all of them must be there.
    func agrees(
        _ datagram: UnsafeMutablePointer<Datagram>, _ start: Int, _ other: UnsafePointer<UInt8>, count: Int
    ) -> Bool {
        var done = 0
        while done < count {
            let place = (start + done) % FragmentPools.pageSize
            let part = min(count - done, FragmentPools.pageSize - place)
            let known = unsafe page(datagram.pointee.pages[(start + done) / FragmentPools.pageSize]) + place
            guard unsafe memcmp(known, other + done, part) == 0 else { return false }
            done += part
        }
        return true
    }

    /// Its pages there must have been taken.
    func write(
        _ datagram: UnsafeMutablePointer<Datagram>, _ start: Int, _ other: UnsafePointer<UInt8>, count: Int
    ) {
        var done = 0
        while done < count {
            let place = (start + done) % FragmentPools.pageSize
            let part = min(count - done, FragmentPools.pageSize - place)
            let known = unsafe page(datagram.pointee.pages[(start + done) / FragmentPools.pageSize]) + place
            unsafe memcpy(known, other + done, part)
            done += part
        }
    }

    /// The first `count` bytes, which must be there.
    func read(_ datagram: UnsafeMutablePointer<Datagram>, _ count: Int, into buffer: UnsafeMutablePointer<UInt8>) {
        var done = 0
        while done < count {
            let part = min(count - done, FragmentPools.pageSize)
            unsafe memcpy(buffer + done, page(datagram.pointee.pages[done / FragmentPools.pageSize]), part)
            done += part
        }
    }

    /// How many bytes are there from the beginning on without a hole.
    func contiguous(_ datagram: UnsafeMutablePointer<Datagram>) -> Int {
        var end = 0
        var index = unsafe datagram.pointee.firstPiece
        while index != 0, unsafe Int(pieces[Int(index)].start) == end {
            end = unsafe Int(pieces[Int(index)].end)
            index = unsafe pieces[Int(index)].next
        }
        return end
    }

    /// Behind the last byte that is there.
    func highest(_ datagram: UnsafeMutablePointer<Datagram>) -> Int {
        let last = unsafe datagram.pointee.lastPiece
        return last == 0 ? 0 : unsafe Int(pieces[Int(last)].end)
    }
}
