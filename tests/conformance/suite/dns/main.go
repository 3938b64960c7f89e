// A name server for the suite's Pod of that kind: answers every question for an address with its client's address.
package main

import (
	"log"
	"net"

	"github.com/miekg/dns"
)

func main() {
	server := &dns.Server{Addr: ":53", Net: "udp", Handler: dns.HandlerFunc(answer)}
	log.Fatal(server.ListenAndServe())
}

func answer(writer dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg)
	reply.SetReply(question)
	client, _, err := net.SplitHostPort(writer.RemoteAddr().String())
	if err == nil && len(question.Question) == 1 && question.Question[0].Qtype == dns.TypeA {
		reply.Answer = append(reply.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: question.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
			A:   net.ParseIP(client),
		})
	}
	if err := writer.WriteMsg(reply); err != nil {
		log.Print(err)
	}
}
