(** * Routing scores are minus the change of the imbalance

    A request (or a set of requests) of total size [S] is added to one worker with margin
    [m = max L - L_g].

    Claims: [balanceroute.score-identity],
    [balanceroute.telescopes]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step.
Import ListNotations.
Open Scope Z_scope.

(** BR-0's score [S - G (S - m)^+]. *)
Definition score (G S m : Z) : Z := S - G * Z.max 0 (S - m).

(** Add [S] to the load of worker [g]. *)
Definition add (S : Z) (g : nat) (loads : list Z) : list Z :=
  firstn g loads ++ (nth g loads 0 + S) :: skipn (g + 1) loads.

Definition margin (g : nat) (loads : list Z) : Z := largest loads - nth g loads 0.

Lemma split_at : forall (g : nat) (xs : list Z), (g < length xs)%nat ->
  xs = firstn g xs ++ nth g xs 0 :: skipn (g + 1) xs.
Proof.
  induction g; intros [|x xs] H; simpl in *; try lia; [reflexivity|].
  rewrite <- (IHg xs) by lia. reflexivity.
Qed.

Lemma largest_cons : forall x xs y, largest (x :: xs) <= y <-> Forall (fun z => z <= y) (x :: xs).
Proof.
  intros. rewrite Forall_forall. split.
  - intros H z I. apply largest_above in I. lia.
  - intros H. apply largest_least; [discriminate|]. now apply Forall_forall.
Qed.

Lemma add_length : forall S g loads, (g < length loads)%nat ->
  length (add S g loads) = length loads.
Proof.
  intros S g xs H. unfold add. rewrite app_length, firstn_length. simpl. rewrite skipn_length. lia.
Qed.

(** [balanceroute.score-identity]: adding [S >= 0] to worker [g] changes [G max L - sum L] by
    exactly [-(S - G (S - m_g)^+)]. *)
Theorem balanceroute_score_identity : forall loads g S, (g < length loads)%nat -> 0 <= S ->
  imbalance (add S g loads) - imbalance loads
  = - score (Z.of_nat (length loads)) S (margin g loads).
Proof.
  intros xs g S H N.
  assert (E : sum (add S g xs) = sum xs + S).
  { rewrite (split_at g xs H) at 2. unfold add. rewrite !sum_app. simpl. lia. }
  assert (M : largest (add S g xs) = Z.max (largest xs) (nth g xs 0 + S)).
  { assert (X : xs <> []) by (destruct xs; simpl in *; [lia|discriminate]).
    assert (Y : add S g xs <> []) by (unfold add; destruct (firstn g xs); discriminate).
    apply Z.le_antisymm.
    - apply largest_least; [exact Y|]. apply Forall_forall. intros z I. unfold add in I.
      apply in_app_or in I. destruct I as [I|[<-|I]]; try lia.
      + assert (In z xs); [|apply largest_above in H0; lia].
        rewrite (split_at g xs H). apply in_or_app. tauto.
      + assert (In z xs); [|apply largest_above in H0; lia].
        rewrite (split_at g xs H). apply in_or_app. simpl. tauto.
    - apply Z.max_lub.
      + apply largest_least; [exact X|]. apply Forall_forall. intros z I.
        rewrite (split_at g xs H) in I. apply in_app_or in I. destruct I as [I|[<-|I]].
        * apply largest_above. unfold add. apply in_or_app. tauto.
        * apply Z.le_trans with (nth g xs 0 + S); [lia|]. apply largest_above. unfold add.
          apply in_or_app. simpl. tauto.
        * apply largest_above. unfold add. apply in_or_app. simpl. tauto.
      + apply largest_above. unfold add. apply in_or_app. simpl. tauto. }
  unfold imbalance. rewrite add_length, E, M by exact H. unfold score, margin. nia.
Qed.

(** ** Scores telescope *)

(** Admit one request after the other, each a pair (worker, size); the total of the scores. *)
Fixpoint route (moves : list (nat * Z)) (loads : list Z) : list Z :=
  match moves with [] => loads | (g, size) :: rest => route rest (add size g loads) end.

Fixpoint total_score (moves : list (nat * Z)) (loads : list Z) : Z :=
  match moves with
  | [] => 0
  | (g, size) :: rest =>
      score (Z.of_nat (length loads)) size (margin g loads) + total_score rest (add size g loads)
  end.

(** [balanceroute.telescopes]: in any order the scores sum to the imbalance before minus the
    imbalance after, so the largest total score is the smallest imbalance. *)
Theorem balanceroute_telescopes : forall moves loads,
  Forall (fun move => (fst move < length loads)%nat /\ 0 <= snd move) moves ->
  total_score moves loads = imbalance loads - imbalance (route moves loads) /\
  (forall others,
     Forall (fun move => (fst move < length loads)%nat /\ 0 <= snd move) others ->
     (total_score moves loads >= total_score others loads <->
      imbalance (route moves loads) <= imbalance (route others loads))).
Proof.
  assert (X : forall moves loads,
    Forall (fun move => (fst move < length loads)%nat /\ 0 <= snd move) moves ->
    total_score moves loads = imbalance loads - imbalance (route moves loads)).
  { induction moves as [|[g size] rest IH]; intros xs F; simpl; [lia|].
    inversion F as [|? ? [A B] F']; subst. simpl in A, B. rewrite IH.
    - pose proof (balanceroute_score_identity xs g size A B). lia.
    - eapply Forall_impl; [|exact F']. simpl. intros m. now rewrite add_length. }
  intros moves loads F. split; [now apply X|]. intros others F'. rewrite !X by assumption. lia.
Qed.
