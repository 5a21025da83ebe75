using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Tinctor.Torch.Ranks;

/// <summary>Address of this computer at which the other ranks of a job reach it.</summary>
internal static class LocalAddress
{
    /// <summary>
    /// Gets the address of the interface that GLOO_SOCKET_IFNAME names, or else of the one that leads to rank 0.
    /// </summary>
    /// <exception cref="TinctorException">The interface has no address, or the name of the host is unknown.</exception>
    public static IPAddress Towards(string host, int port)
    {
        if (Environment.GetEnvironmentVariable("GLOO_SOCKET_IFNAME") is { Length: > 0 } name)
        {
            return Addresses(card => card.Name == name).FirstOrDefault()
                ?? throw new TinctorException(null, $"the network interface {name} of GLOO_SOCKET_IFNAME has no address", "Correct it");
        }
        IPAddress target = Resolve(host);
        using var probe = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        probe.Connect(target, port);
        IPAddress own = ((IPEndPoint)probe.LocalEndPoint!).Address;
        // On its own computer, the name of a host is often an address that others cannot reach.
        bool isName = host != "localhost" && !IPAddress.TryParse(host, out _);
        return IPAddress.IsLoopback(own) && isName ? Addresses(_ => true).FirstOrDefault() ?? own : own;
    }

    private static IPAddress Resolve(string host)
    {
        try
        {
            IPAddress[] found = Dns.GetHostAddresses(host);
            return found.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
        }
        catch (SocketException e)
        {
            throw new TinctorException(null, $"the host of rank 0, {host}, is unknown ({e.Message})", "Set MASTER_ADDR to its address", e);
        }
    }

    private static IEnumerable<IPAddress> Addresses(Func<NetworkInterface, bool> wanted) =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(card => card.OperationalStatus == OperationalStatus.Up && wanted(card))
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
}
