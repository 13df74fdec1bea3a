package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"

	"k8s.io/client-go/util/keyutil"
)

// The CA must outlive the kubeconfig of a long-lived demo. The serving
// certificate is made anew at each start.
const (
	caValidity      = 10 * 365 * 24 * time.Hour
	servingValidity = 365 * 24 * time.Hour
	clockSkew       = time.Hour
)

// writeCertificates loads or creates the CA and writes serving.crt and
// serving.key. The API server could sign a certificate itself (--cert-dir), but
// then the kubeconfig would have to trust a leaf, and lose that trust after a year.
func (s *state) writeCertificates() error {
	// Key and certificate share a file, so that they can only exist together.
	data, err := loadOrCreate(s.path("ca.pem"), newCA)
	if err != nil {
		return err
	}
	ca, caKey, err := parseCA(data)
	if err != nil {
		return fmt.Errorf("ca.pem: %w", err)
	}
	s.caCert = certificatePEM(ca.Raw)

	keyPEM, err := newPrivateKeyPEM()
	if err != nil {
		return err
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return err
	}
	template := certificateTemplate("kube-apiserver", servingValidity)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IPAddresses = []net.IP{net.ParseIP(host)}
	template.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(s.path("serving.crt"), certificatePEM(der)),
		writeFile(s.path("serving.key"), keyPEM),
	)
}

func newCA() ([]byte, error) {
	keyPEM, err := newPrivateKeyPEM()
	if err != nil {
		return nil, err
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("playout-cluster-ca", caValidity)
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return append(certificatePEM(der), keyPEM...), nil
}

func parseCA(data []byte) (*x509.Certificate, crypto.Signer, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, nil, errors.New("no certificate found")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := parseKey(rest)
	return cert, key, err
}

func parseKey(data []byte) (crypto.Signer, error) {
	parsed, err := keyutil.ParsePrivateKeyPEM(data)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", parsed)
	}
	return key, nil
}

func newPrivateKeyPEM() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return keyutil.MarshalPrivateKeyToPEM(key)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func certificateTemplate(name string, validity time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-clockSkew),
		NotAfter:  now.Add(validity),
	}
}
