(** * The idle share caps the saving, whatever the power law

    A worker at utilisation [u] draws [p u] watts, between [u P_max] and [P_max].  No overhead.

    Claim: [energy.any-power]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving.
Import ListNotations.
Open Scope R_scope.

Definition energy_by (p : R -> R) (r : run) : R :=
  over (fun x => fst x * p (snd x)) (cells 0 r).

Definition saving_by (p : R -> R) (r0 r1 : run) : R := 1 - energy_by p r1 / energy_by p r0.

Lemma energy_by_between : forall p M r, loaded r ->
  (forall u, 0 <= u <= 1 -> u * M <= p u <= M) ->
  M * busy 0 r <= energy_by p r <= M * total 0 r.
Proof.
  intros p M r L H. pose proof (cells_sound 0 r (Rle_refl 0) L) as S.
  rewrite total_is_the_duration. unfold energy_by, busy.
  assert (X : forall f : R * R -> R, M * over f (cells 0 r)
    = over (fun x => M * f x + 0 * fst x) (cells 0 r)).
  { intros f. rewrite over_linear. ring. }
  rewrite !X. split; apply over_le; (eapply Forall_impl; [|exact S]); intros [w u]; simpl;
    intros [w0 U]; specialize (H u U); nra.
Qed.

(** No run saves more than the idle share of its baseline; perfect balance saves exactly that where
    waiting costs as much as working. *)
Theorem energy_any_power :
  (forall p M r0 r1 W, 0 < M -> (forall u, 0 <= u <= 1 -> u * M <= p u <= M) ->
     pair_of_runs r0 r1 W -> saving_by p r0 r1 <= imbalances r0 / (W + imbalances r0)) /\
  (forall M r0 r1 W, 0 < M -> pair_of_runs r0 r1 W -> imbalances r1 = 0 ->
     saving_by (fun _ => M) r0 r1 = imbalances r0 / (W + imbalances r0)).
Proof.
  split.
  - intros p M r0 r1 W m H (L0 & L1 & W0 & W1 & w).
    destruct (energy_by_between p M r0 L0 H) as [A0 B0].
    destruct (energy_by_between p M r1 L1 H) as [A1 _].
    destruct (usage_without_overhead r0 L0) as (U0 & I0 & _ & N0).
    destruct (usage_without_overhead r1 L1) as (U1 & _ & _ & _).
    unfold total in B0. rewrite U0, I0, W0 in *. rewrite U1, W1 in *.
    pose proof (Rmult_lt_0_compat _ _ m w). unfold saving_by.
    replace (imbalances r0 / (W + imbalances r0))
      with (1 - M * W / (M * (W + imbalances r0))) by (field; lra).
    assert (M * W / (M * (W + imbalances r0)) <= energy_by p r1 / energy_by p r0); [|lra].
    apply quotient_bounds; lra.
  - intros M r0 r1 W m (L0 & L1 & W0 & W1 & w) Z.
    assert (X : forall r, loaded r -> work r = W ->
      energy_by (fun _ => M) r = M * (W + imbalances r)).
    { intros r L E. destruct (usage_without_overhead r L) as (U & I & _ & _).
      rewrite <- E, <- U, <- I. change (busy 0 r + idle 0 r) with (total 0 r).
      rewrite total_is_the_duration. unfold energy_by.
      replace (M * over fst (cells 0 r))
        with (over (fun x => M * fst x + 0 * fst x) (cells 0 r)) by (rewrite over_linear; ring).
      apply over_ext. apply Forall_forall. intros [x u] _. simpl. ring. }
    unfold saving_by. rewrite (X r0 L0 W0), (X r1 L1 W1), Z.
    destruct (usage_without_overhead r0 L0) as (_ & _ & _ & N0). field. lra.
Qed.
