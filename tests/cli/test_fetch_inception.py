"""`ganlab fetch-inception`: what fails without a network."""

from ganlab.cli.main import main


def test_fetch_inception_without_a_network_exits_1(capsys, monkeypatch):
    def fail(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", fail)
    assert main(["fetch-inception"]) == 1
    assert "no network" in capsys.readouterr().err
