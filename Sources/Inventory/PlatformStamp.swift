import Glibc

/// Tells whether the files of platforms are those that were read: their names, sizes, numbers and times, not what is
/// in them.
public struct PlatformStamp: Equatable, Sendable {
    private var value: Int

    public init(_ sources: [PlatformSource]) {
        var hasher = Hasher()
        for source in sources {
            for folder in PlatformStamp.folders(source) {
                for name in (try? PlatformFile.names(in: folder, ending: "")) ?? [] {
                    PlatformStamp.add("\(folder)/\(name)", &hasher)
                }
            }
            for file in PlatformStamp.files(source) { PlatformStamp.add(file, &hasher) }
        }
        value = hasher.finalize()
    }

    /// The folders that a platform's guests are in, a file each.
    static func folders(_ source: PlatformSource) -> [String] {
        switch source.platform {
        case .libvirt, .openstack: ["qemu", "lxc"].map { "\(source.path)/\($0)" }
        case .proxmox: ["qemu-server", "lxc", "firewall"].map { "\(source.path)/\($0)" }
        case .file: []
        }
    }

    private static func files(_ source: PlatformSource) -> [String] {
        switch source.platform {
        case .libvirt, .openstack: []
        case .proxmox: ["\(source.path)/user.cfg"]
        case .file: [source.path]
        }
    }

    private static func add(_ path: String, _ hasher: inout Hasher) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return }
        hasher.combine(path)
        hasher.combine(status.st_ino)
        hasher.combine(status.st_size)
        hasher.combine(status.st_mtim.tv_sec)
        hasher.combine(status.st_mtim.tv_nsec)
    }
}
